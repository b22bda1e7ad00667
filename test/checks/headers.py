#!/usr/bin/env python3
"""headers.py <compiler>: every public header compiles alone, and twice; ss.hpp needs nothing but -std=c++20 -pthread;
and all of them in two translation units link.
"""

import itertools
import pathlib
import subprocess
import sys
import tempfile

import tree


def alone(compiler, header):
    """What the compiler says of a file that includes the header and nothing else; None if it is content."""
    result = tree.compile_text(compiler, f"#include <{header}>\n#include <{header}>\n", *tree.WARNINGS)
    return None if result.returncode == 0 else f"include/{header} does not compile alone:\n{result.stdout}"


def begun_with(headers):
    """Those that another one begins with: when that was compiled alone, they have been parsed with nothing before them but
    what they include themselves. So compiling the others is enough."""
    return {name for header in headers for _, name, _ in itertools.islice(tree.includes(header), 1)}


def run(*command):
    """The output of a command that failed, or None."""
    result = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return None if result.returncode == 0 else f"{' '.join(map(str, command))}\n{result.stdout}"


def face(compiler, folder):
    """Builds and runs a program that includes ss.hpp, with no flag and no library beyond those that are promised."""
    source = folder / "face.cpp"
    source.write_text(f"#include <{tree.FACE}>\nint main() {{}}\n")
    program = folder / "face"
    problem = run(compiler, *tree.STANDARD, f"-I{tree.INCLUDE}", source, "-o", program) or run(program)
    return problem and f"<{tree.FACE}> with nothing but {' '.join(tree.STANDARD)}:\n{problem}"


def together(compiler, headers, folder):
    """Links two units that include all headers, in opposite orders: what is not inline is there twice then. One has
    assertions and the other is optimized, as two users of one pool may be."""
    objects = []
    for name, order, flags in (("one", headers, ["-O0"]), ("two", headers[::-1], ["-O2", "-DNDEBUG"])):
        source = folder / f"{name}.cpp"
        main = "int main() {}\n" if name == "one" else ""
        source.write_text("".join(f"#include <{header}>\n" for header in order) + main)
        objects.append(folder / f"{name}.o")
        if problem := run(compiler, *tree.STANDARD, *tree.WARNINGS, *flags, f"-I{tree.INCLUDE}", "-c", source, "-o",
                          objects[-1]):
            return f"all headers in one file:\n{problem}"
    program = folder / "together"
    problem = run(compiler, "-pthread", *objects, "-Wl,--fatal-warnings", "-o", program) or run(program)
    return problem and f"all headers in two files of one program:\n{problem}"


def main():
    compiler = tree.find_compiler(sys.argv[1])
    headers, missing = tree.usable_headers(compiler)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        covered = begun_with(headers)
        tasks = [lambda header=header: alone(compiler, header) for header in headers if header not in covered]
        tasks += [lambda: face(compiler, folder), lambda: together(compiler, headers, folder)]
        problems = [problem for problem in tree.parallel(lambda task: task(), tasks) if problem]
    if missing and not problems:
        print(f"{len(headers)} headers are fine")
        tree.skip("; ".join(missing))
    tree.finish(problems, f"{len(headers)} headers alone and together, {sys.argv[1]}")


if __name__ == "__main__":
    sys.exit(main())
