"""What the checks know about the source tree: where it is, its headers, and how to compile a few lines against them."""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = ROOT / "include"
FACE = "ss/ss.hpp"

# Headers that ss.hpp leaves out, and the header of the library that each needs.
OPT_IN = {
    "ss/open_any.hpp": "boost/hana.hpp",
    "ss/profiles.hpp": "boost/hana.hpp",
    "ss/registry.hpp": "boost/hana.hpp",
    "ss/hash/xxh3.hpp": "xxhash.h",
}

STANDARD = ["-std=c++20", "-pthread"]
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]

SKIPPED = 77

INCLUDE_LINE = re.compile(r'^\s*#\s*include\s*(<([^>]+)>|"([^"]+)")')


def public_headers():
    """All public headers as one includes them: "ss/pool/pool.hpp"."""
    return sorted(str(path.relative_to(INCLUDE)) for path in (INCLUDE / "ss").rglob("*.hpp"))


def includes(header):
    """(line, name, quoted) of each include in the header."""
    for number, line in enumerate((INCLUDE / header).read_text().splitlines(), 1):
        if match := INCLUDE_LINE.match(line):
            yield number, match[2] or match[3], match[3] is not None


def sources(*folders):
    """All C++ files below the folders of the project."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.[ch]pp"))


def skip(reason):
    """Ends the check as skipped, loudly."""
    print(f"SKIP: {reason}")
    sys.exit(SKIPPED)


def finish(problems, what):
    """Ends the check: prints the problems, if any, and how much was looked at."""
    for problem in problems:
        print(problem)
    print(f"{what}: {len(problems)} problems")
    sys.exit(1 if problems else 0)


def find_compiler(name):
    return shutil.which(name) or skip(f"{name} is not installed")


def compile_text(compiler, text, *flags):
    """Compiles `text` against the headers without output. Returns the completed process, diagnostics in stdout."""
    return subprocess.run(
        [compiler, *STANDARD, *flags, f"-I{INCLUDE}", "-fsyntax-only", "-x", "c++", "-"],
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"LC_ALL": "C"},
        text=True,
    )


def usable_headers(compiler):
    """The public headers that can be compiled here, and a sentence for each that cannot."""
    usable, missing = [], []
    for header in public_headers():
        needs = OPT_IN.get(header)
        if needs and compile_text(compiler, f"#include <{needs}>\n").returncode != 0:
            missing.append(f"{header}: {needs} is not installed")
        else:
            usable.append(header)
    return usable, missing


def parallel(function, items):
    """[function(item) for item in items], one thread per processor."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, items))
