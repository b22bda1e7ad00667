#!/usr/bin/env python3
"""targets.py [--complete] <file.json>...: what ss reached, by the figures of the benchmarks' own run, and what it is to reach.

Each line is a ratio of two medians of one run: above 1 ss is faster, or smaller. A line whose contestants or measures were
not run is left out; with --complete that is an error, except where the profile itself is still to come.
"""

import json
import pathlib
import sys

TO_COME = {"ss-striped"}  # profiles that the library does not have yet


def times(measure, peer, target, ours="ss", theirs=None):
    """Our `measure` against that of `peer`, the best if there are several: how many times better."""
    return {"ours": (ours, measure), "theirs": [(one, theirs or measure) for one in peer.split()], "target": target}


def at_most(measure, target, ours="ss"):
    return {"ours": (ours, measure), "theirs": [], "target": target}


def less(measure, peer, target, ours="ss"):
    """A difference in ns, at most."""
    return {"ours": (ours, measure), "theirs": [(peer, measure)], "target": target, "difference": True}


def tree(key_set, by):
    return [
        ("get", key_set, times("get hit", "std", 3.2 * by)),
        ("get", key_set, times("get hit", "lmdb lmdb-batch", 1.5 * by)),
        ("insert", key_set, times("insert", "std", 3.2 * by)),
        ("full scan", key_set, times("full scan", "std", 4 * by)),
        ("lower_bound and 100 steps", key_set, times("lower_bound and 100 steps", "lmdb lmdb-batch", 1.0 * by)),
    ]


def mixed(picks, reads, processes):
    return f"{picks}, {reads} % reads, {processes} at once"


# Of each benchmark: what it is called, the set of keys if there are several, and the figures.
TARGETS = {
    "hash_table": [
        ("get, hit", None, times("get hit", "tbb", 2.8)),
        ("get, hit", None, times("get hit", "absl-spin", 1.0)),
        ("get, miss", None, times("get miss", "tbb", 6)),
        ("insert", None, times("insert", "tbb", 2.8)),
        ("overwrite", None, times("overwrite", "tbb", 3)),
        ("erase", None, times("erase", "tbb", 3.5)),
        ("two processes, 100 % reads", None, times(mixed("uniform", 100, 2), "tbb", 2.4, "ss-striped")),
        ("two processes, 95 % reads", None, times(mixed("uniform", 95, 2), "tbb", 2.4, "ss-striped")),
        ("two processes, 50 % reads", None, times(mixed("uniform", 50, 2), "tbb", 2.2, "ss-striped")),
        ("two processes, Zipf, 100 % reads", None, times(mixed("zipf", 100, 2), "tbb", 2.4, "ss-striped")),
        ("two processes, Zipf, 50 % reads", None, times(mixed("zipf", 50, 2), "tbb", 2.2, "ss-striped")),
        ("bytes per entry", None, at_most("bytes allocated", 80)),
        ("overwrite of 1000 keys, ns more than with NullLock", None, less("cached overwrite", "ss-null", 40)),
    ],
    "latency": [("slowest single insert", None, times("insert worst", "std", 50))],
    "readers": [
        (
            "reader beside a writer, against one elsewhere",
            None,
            times("reader beside a writer", "ss", 0.9, theirs="reader beside a writer elsewhere"),
        )
    ],
    "prefix_tree": [
        *tree("digits", 1),
        *tree("bytes", 0.9),
        *tree("paths", 0.9),
        ("bytes per entry", "paths", at_most("bytes allocated", 105)),
    ],
    "allocator": [
        ("free and allocate", None, times("free and allocate", "malloc", 1.0)),
        ("bytes taken for each live byte", None, at_most("bytes taken by live bytes", round(1 / 0.9, 2))),
    ],
    "open": [
        ("open and read one key", None, times("open of all", "interprocess", 1.0)),
        ("the same, against one of 1000 keys", None, times("open of all", "ss", 0.9, theirs="open of 1000")),
    ],
}


def number(value):
    return f"{value:.2f}" if value < 10 else f"{value:,.0f}"


def line(name, contestants, row):
    """A row of the table, or what is missing."""

    def figure(contestant, measure):
        return contestants.get(contestant, {}).get("measures", {}).get(measure, {}).get("median")

    what, key_set, target = row
    contestant, measure = target["ours"]
    ours = figure(contestant, measure)
    theirs = [(value, one) for one, of in target["theirs"] if (value := figure(one, of)) is not None]
    if ours is None or (target["theirs"] and not theirs):
        missing = contestant if ours is None else " ".join(one for one, _ in target["theirs"])
        return None, None if contestant in TO_COME else f"{name}: no {measure} of {missing}"
    title = f"{name.replace('_', ' ')}, {key_set}: {what}" if key_set else f"{name.replace('_', ' ')}: {what}"
    best, peer = min(theirs) if theirs else (None, "")
    if peer == contestant:
        peer = "itself"
    if target.get("difference"):
        reached, met, sign = ours - best, ours - best <= target["target"], "<="
    elif theirs:
        reached, met, sign = best / ours, best / ours >= target["target"], ">="
    else:
        reached, met, sign = ours, ours <= target["target"], "<="
    wanted = f"{sign} {target['target']:.4g}"
    figures = number(ours) if best is None else f"{number(ours)} : {number(best)}"
    return [title, peer, figures, number(reached), wanted, "met" if met else "not met"], None


def table(rows):
    rows = [["", "against", "figures", "reached", "to reach", ""], *rows]
    widths = [max(3, *(len(row[i]) for row in rows)) for i in range(len(rows[0]))]
    text = []
    for n, row in enumerate(rows):
        text.append("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")
        if n == 0:
            text.append("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)


def main():
    arguments = sys.argv[1:]
    complete = "--complete" in arguments
    rows, problems = [], []
    for path in arguments:
        if path == "--complete":
            continue
        document = json.loads(pathlib.Path(path).read_text())
        name = document["benchmark"]
        for run in document["runs"]:
            for row in TARGETS.get(name, []):
                if row[1] not in (None, run["settings"]["key set"]):
                    continue
                found, missing = line(name, run["contestants"], row)
                if found:
                    rows.append(found)
                elif missing:
                    problems.append(missing)
    if rows:
        met = sum(row[-1] == "met" for row in rows)
        print(f"Ratios of this run, and the targets: {met} of {len(rows)} met\n\n{table(rows)}")
    if complete and (problems or not rows):
        sys.exit("targets.py: " + "; ".join(problems or ["no file has a measure with a target"]))


if __name__ == "__main__":
    main()
