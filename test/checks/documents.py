#!/usr/bin/env python3
"""documents.py <compiler>: every C++ block of README.md and docs/ that includes a header of ss compiles as it stands."""

import re
import sys

import tree

BLOCK = re.compile(r"^```cpp\n(.*?)^```", re.DOTALL | re.MULTILINE)


def main():
    compiler = tree.find_compiler(sys.argv[1])
    problems = []
    blocks = 0
    for path in [tree.ROOT / "README.md", *sorted((tree.ROOT / "docs").rglob("*.md"))]:
        for block in BLOCK.finditer(path.read_text()):
            if "#include <ss/" not in block[1]:
                continue
            blocks += 1
            result = tree.compile_text(compiler, block[1], "-Wall", "-Wextra")
            if result.returncode != 0 or result.stdout:
                line = path.read_text()[: block.start()].count("\n") + 2
                problems.append(f"{path.relative_to(tree.ROOT)}:{line}: does not compile:\n{result.stdout}")
    if blocks == 0:
        problems.append("no block of C++ was found: the pattern is wrong, or the documents have lost their examples")
    tree.finish(problems, f"{blocks} blocks of C++ in the documents, {sys.argv[1]}")


if __name__ == "__main__":
    main()
