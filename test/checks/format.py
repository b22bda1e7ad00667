#!/usr/bin/env python3
"""format.py [--fix]: all sources are formatted as .clang-format says. The version of clang-format matters."""

import difflib
import re
import shutil
import subprocess
import sys

import tree

VERSION = "14"


def main():
    program = shutil.which(f"clang-format-{VERSION}") or shutil.which("clang-format")
    if not program:
        tree.skip("clang-format is not installed")
    version = re.search(r"version (\d+)", subprocess.run([program, "--version"], capture_output=True, text=True).stdout)
    if not version or version[1] != VERSION:
        tree.skip(f"clang-format {VERSION} is needed, for others break lines otherwise")
    files = tree.sources("include", "test", "examples", "bench")
    if "--fix" in sys.argv:
        return subprocess.run([program, "-i", *files]).returncode

    def check(path):
        # Not --dry-run: version 14 takes the comment after a nested inline namespace for unformatted, and replaces it
        # by itself.
        text = path.read_text()
        formatted = subprocess.run([program, path], capture_output=True, text=True, check=True).stdout
        name = str(path.relative_to(tree.ROOT))
        return "".join(difflib.unified_diff(text.splitlines(True), formatted.splitlines(True), name, "formatted"))

    problems = [problem for problem in tree.parallel(check, files) if problem]
    tree.finish(problems, f"{len(files)} files (./dev format mends)")


if __name__ == "__main__":
    sys.exit(main())
