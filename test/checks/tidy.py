#!/usr/bin/env python3
"""tidy.py [--names] [files]: clang-tidy as .clang-tidy says over all headers, tests, examples and benchmarks, or over
the given files. --names: the naming rules alone, over the headers alone.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

import tree


def tidy(program, path, *options):
    """What clang-tidy says of one file, or None."""
    result = subprocess.run(
        [program, f"--config-file={tree.ROOT / '.clang-tidy'}", "--quiet", "--warnings-as-errors=*", *options, path, "--", *tree.STANDARD, f"-I{tree.INCLUDE}",
         f"-I{tree.ROOT / 'test'}", "-DBOOST_TEST_DYN_LINK="],
        capture_output=True, text=True, cwd=tree.ROOT)
    if result.returncode == 0:
        return None
    # The count of suppressed warnings is noise; what stops clang-tidy altogether is on stderr.
    return result.stdout or result.stderr


def main():
    program = shutil.which("clang-tidy-14") or shutil.which("clang-tidy")
    if not program:
        tree.skip("clang-tidy is not installed")
    clang = tree.find_compiler("clang++")
    names = "--names" in sys.argv
    files = [pathlib.Path(name).resolve() for name in sys.argv[1:] if name != "--names"]
    with tempfile.TemporaryDirectory() as folder:
        # What is wrong in a header is told once, by one file that includes them all; of other files their own lines.
        everything = pathlib.Path(folder) / "everything.cpp"
        headers, _ = tree.usable_headers(clang)
        tasks = [] if files else [(everything, ["--header-filter=/(include/ss|test|examples|bench)/"])]
        if not files and not names:
            ours = tree.sources("test", "examples", "bench")
            headers += [path for path in ours if path.suffix == ".hpp"]
            files = [path for path in ours if path.suffix == ".cpp" and "negative" not in path.parts]
        everything.write_text("".join(f"#include <{header}>\n" for header in headers))
        tasks += [(path, ["--header-filter=^$"] if path.suffix == ".cpp" else []) for path in files]
        checks = ["--checks=-*,readability-identifier-naming"] if names else []
        problems = [problem for problem in tree.parallel(lambda task: tidy(program, task[0], *task[1], *checks), tasks)
                    if problem]
    tree.finish(problems, f"{len(tasks)} files")


if __name__ == "__main__":
    sys.exit(main())
