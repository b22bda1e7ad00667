#!/usr/bin/env python3
"""Counts the cache lines of a pool that single operations read and write, by valgrind's trace of memory (lackey), and
tells from that how throughput scales: a table of Markdown each.

    python3 bench/cache_lines.py [--transfer NANOSECONDS]
"""
import argparse
import collections
import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
BINARY = os.path.join(HERE, "..", "build", "cache_lines")
LINE = 64
SHARED = ("lock", "journal", "garbage", "allocator", "directory", "versions", "signals")


def build():
    os.makedirs(os.path.dirname(BINARY), exist_ok=True)
    subprocess.run(["g++", "-std=c++20", "-O2", "-I" + os.path.join(HERE, "..", "include"),
                    os.path.join(HERE, "cache_lines.cpp"), "-o", BINARY, "-pthread"], check=True)


def trace():
    """For each operation: kind of line -> the lines that are only read, and those that are written."""
    run = subprocess.Popen(["valgrind", "--tool=lackey", "--trace-mem=yes", "--log-fd=1", BINARY],
                           stdout=subprocess.PIPE, text=True, bufsize=1 << 20, env=dict(os.environ, LC_ALL="C"))
    access = re.compile(r"^ ([SLM]) ([0-9a-f]+),(\d+)$")
    ranges, events, names, current = [], [], [], None
    for line in run.stdout:
        found = access.match(line)
        if found:
            events_of = (found[1], int(found[2], 16), int(found[3]))
            events.append(events_of)
        elif line.startswith("range "):
            _, name, begin, size = line.split()
            ranges.append((name, int(begin), int(begin) + int(size)))
        elif line.startswith("operation "):
            names.append(line.split(" ", 1)[1].strip())
    if run.wait() != 0:
        raise SystemExit("cache_lines: valgrind failed")
    mark = next(begin for name, begin, _ in ranges if name == "mark")
    result, number = [], 0
    for kind, address, size in events:
        if address == mark and kind in "SM":
            number += current is None
            current = None if current is not None else (collections.defaultdict(set), collections.defaultdict(set))
            if current is not None:
                result.append((names[number - 1], *current))
            continue
        if current is None:
            continue
        for name, begin, end in ranges:
            if begin <= address < end and name != "mark":
                for at in range(address // LINE, (address + size - 1) // LINE + 1):
                    current[kind in "SM"][name].add(at)
    return result


def throughput(cores, stripes, think, service):
    """Operations per ns of a closed network: every core thinks, then waits for one of the stripes, each as likely.
    Exact mean value analysis (M. Reiser, S. S. Lavenberg, JACM 27, 1980)."""
    waiting, rate = 0.0, 0.0
    for customers in range(1, cores + 1):
        response = service * (1 + waiting)
        rate = customers / (think + response)
        waiting = rate / stripes * response
    return rate


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transfer", type=float, default=80, help="ns until a line that another core wrote is here")
    parser.add_argument("--get", type=float, default=210, help="ns of a get")
    parser.add_argument("--work", type=float, default=110, help="ns of a write in one process, under the lock")
    arguments = parser.parse_args()
    build()
    print("| operation | lines written | of these in every one of the domain | where | lines only read |")
    print("|---|---:|---:|---|---:|")
    shared_of = {}
    for name, read, written in trace():
        only_read = {kind: lines - written[kind] for kind, lines in read.items()}
        where = ", ".join(f"{kind} {len(written[kind])}" for kind in (*SHARED, "heap") if written[kind])
        shared_of[name] = sum(len(written[kind]) for kind in SHARED if kind != "versions")
        print(f"| {name} | {sum(map(len, written.values()))} | {shared_of[name]} | {where or '-'} | "
              f"{sum(map(len, only_read.values()))} |")
    writes = shared_of["table: overwrite 32 bytes"]
    service = arguments.work + writes * arguments.transfer
    print(f"\nMillions of operations a second, if a get takes {arguments.get:.0f} ns, and a write {arguments.work:.0f} ns "
          f"under the lock and {writes} transfers of {arguments.transfer:.0f} ns:\n")
    sizes = (2, 4, 8, 16, 32, 64, 128)
    print("| writes | stripes | " + " | ".join(f"{n} cores" for n in sizes) + " |")
    print("|---|---:|" + "---:|" * len(sizes))
    for share in (0, 0.05, 0.5):
        for stripes in (1, 16, 64) if share else (1,):
            row = []
            for cores in sizes:
                rate = cores / arguments.get if share == 0 else \
                    throughput(cores, stripes, (1 - share) / share * arguments.get, service) / share
                row.append(f"{rate * 1000:.1f}")
            print(f"| {share:.0%} | {stripes} | " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
