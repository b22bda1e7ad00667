#!/usr/bin/env python3
"""A header includes only from its own floor or from below, no header includes itself on any way round, ss.hpp reaches
all headers but the opt-in ones, and nothing outside the standard library and Linux comes in but where it is said here.
"""

import re
import sys

import tree

# The floors, and the only copy of them that a program reads. Drawn in docs/architecture.md.
FLOORS = {
    "base": 0,
    "os": 0,
    "pool": 1,
    "lock": 2,
    "hash": 2,
    "compare": 2,
    "alloc": 3,
    "domain": 4,
    "structure": 5,
    "face": 6,  # the files of include/ss itself
}

# Standard headers that public headers do without: each costs every user its compile time.
TOO_HEAVY = {"functional", "iostream", "mutex", "thread", "regex", "future", "random", "iomanip", "sstream", "fstream"}

LINUX = re.compile(
    r"(sys|linux|asm|bits|gnu)/[\w/-]+\.h"
    r"|(fcntl|unistd|pthread|signal|sched|errno|dirent|poll|time|limits|endian|elf|link|features|ucontext)\.h"
    r"|(immintrin|x86intrin|nmmintrin|emmintrin|arm_acle|arm_neon)\.h"
)


def floor_of(header):
    """The name of the floor of "ss/pool/pool.hpp" or "ss/ss.hpp"; None if its folder is on no floor."""
    parts = header.split("/")
    if len(parts) == 2:
        return "face"
    return parts[1] if parts[1] in FLOORS else None


def check_include(header, place, name, quoted, headers):
    """A sentence on what is wrong with one include, or None."""
    floor = floor_of(header)
    if quoted:
        return f'{place}: "{name}": public headers include each other as <ss/floor/file.hpp>'
    if name.startswith("ss/"):
        if name not in headers:
            return f"{place}: <{name}> is not in include/"
        other = floor_of(name)
        if other and FLOORS[other] > FLOORS[floor]:
            return (
                f"{place}: floor {FLOORS[floor]} ({floor}) includes <{name}> from floor {FLOORS[other]} ({other}): "
                "a file includes only from its own floor or below"
            )
        if name in tree.OPT_IN and header not in tree.OPT_IN:
            return f"{place}: <{name}> is opt-in; no other header may bring it in"
        return None
    if header in tree.OPT_IN and name.split("/")[0] == tree.OPT_IN[header].split("/")[0]:
        return None
    if name in TOO_HEAVY:
        return f"{place}: <{name}> is too heavy for a public header"
    if re.fullmatch(r"[a-z_]+", name) or LINUX.fullmatch(name):
        return None
    return f"{place}: <{name}>: the headers need the standard library and Linux alone"


def find_cycle(graph):
    """A list of headers that include each other in a circle, or None."""
    state = {}

    def visit(header, path):
        state[header] = "open"
        for other in graph.get(header, ()):
            if state.get(other) == "open":
                return path[path.index(other):] + [other] if other in path else [header, other]
            if other not in state and (cycle := visit(other, path + [other])):
                return cycle
        state[header] = "done"
        return None

    for header in graph:
        if header not in state and (cycle := visit(header, [header])):
            return cycle
    return None


def reachable(graph, start):
    seen, todo = set(), [start]
    while todo:
        header = todo.pop()
        if header not in seen:
            seen.add(header)
            todo.extend(graph.get(header, ()))
    return seen


def main():
    headers = tree.public_headers()
    problems, graph, count = [], {}, 0
    for header in headers:
        graph[header] = []
        if floor_of(header) is None:
            problems.append(f"include/{header}: the folder {header.split('/')[1]} is on no floor")
            continue
        for line, name, quoted in tree.includes(header):
            count += 1
            graph[header].append(name)
            if problem := check_include(header, f"include/{header}:{line}", name, quoted, set(headers)):
                problems.append(problem)
    if cycle := find_cycle(graph):
        problems.append("headers that include each other: " + " -> ".join(cycle))
    if tree.FACE in headers:
        for header in sorted(set(headers) - reachable(graph, tree.FACE) - set(tree.OPT_IN)):
            problems.append(f"include/{tree.FACE}: does not reach <{header}>")
    else:
        problems.append(f"include/{tree.FACE} is missing")
    tree.finish(problems, f"{count} includes in {len(headers)} headers")


if __name__ == "__main__":
    sys.exit(main())
