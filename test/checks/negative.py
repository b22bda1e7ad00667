#!/usr/bin/env python3
"""negative.py <compiler>: what must not compile does not, and the compiler says why.

Each file of test/negative has one of two forms:

    // expect: <regular expression>             the file does not compile, and the diagnostics match

    // CASE_1 expect: <regular expression>      the file compiles as it is; with CASE_1 defined it does not, and the
    // CASE_2 expect: <regular expression>      diagnostics match; and so on. Cases are selected by #ifdef CASE_1.

The second form is the better one: what compiles shows that nothing else is wrong with the file. Source lines that the
compiler quotes are left out before matching, so a case cannot pass because its own text was quoted.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

import tree

FOLDER = tree.ROOT / "test" / "negative"
WHOLE = re.compile(r"// expect: (.+)")
CASE = re.compile(r"// (CASE_\w+) expect: (.+)")


def cases_of(path):
    """(path, case or None, regular expression or None) of each compilation of the file; None: it has to compile."""
    text = path.read_text()
    cases = [(path, match[1], match[2]) for match in CASE.finditer(text)]
    if match := WHOLE.match(text):
        return [(path, None, match[1])]
    return [(path, None, None), *cases] if cases else []


def precompile(compiler, folder):
    """Compiles ss.hpp once; returns the options by which each case includes it."""
    header = folder / "face.hpp"
    header.write_text(f"#include <{tree.FACE}>\n")
    precompiled = folder / "face.hpp.gch"
    subprocess.run([compiler, *tree.STANDARD, f"-I{tree.INCLUDE}", "-x", "c++-header", header, "-o", precompiled], check=True)
    return ["-include-pch", precompiled] if "clang" in compiler else ["-include", header]


def check(compiler, included, case):
    path, name, expected = case
    what = f"{path.relative_to(tree.ROOT)}" + (f" with {name}" if name else "")
    text = path.read_text()
    if name and not re.search(rf"#\s*(if|ifdef|elif|elifdef)\b.*\b{name}\b", text):
        return f"{what}: no #ifdef {name}"
    no_quotes = "-fno-caret-diagnostics" if "clang" in compiler else "-fno-diagnostics-show-caret"
    flags = [no_quotes, f"-I{tree.ROOT / 'test'}", *included] + ([f"-D{name}"] if name else [])
    result = tree.compile_text(compiler, text, *flags)
    if expected is None:
        return f"{what}: has to compile as it is\n{result.stdout}" if result.returncode != 0 else None
    if result.returncode == 0:
        return f"{what}: compiles, and must not (expected: {expected})"
    if "error:" not in result.stdout or not re.search(expected, result.stdout):
        return f"{what}: the diagnostics do not match {expected}\n{result.stdout}"
    return None


def main():
    compiler = tree.find_compiler(sys.argv[1])
    problems, cases = [], []
    files = sorted(FOLDER.glob("*.cpp"))
    for path in files:
        found = cases_of(path)
        if not found:
            problems.append(f"{path.relative_to(tree.ROOT)}: says nothing of what is expected")
        cases += found
    if not cases:
        problems.append("test/negative has no cases")
    with tempfile.TemporaryDirectory() as folder:
        included = precompile(compiler, pathlib.Path(folder))
        problems += [problem for problem in tree.parallel(lambda case: check(compiler, included, case), cases) if problem]
    refused = sum(expected is not None for _, _, expected in cases)
    tree.finish(problems, f"{refused} refusals in {len(files)} files, {sys.argv[1]}")


if __name__ == "__main__":
    sys.exit(main())
