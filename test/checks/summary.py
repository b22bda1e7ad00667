#!/usr/bin/env python3
"""summary.py [--broken=<name>]... <junit file>...: what the tests measured, what failed, what was skipped and why, and
last one line of counts.

A test that ctest could not start counts as failed: only exit code 77 is a skip. --broken names a build that failed.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as xml


def reasons(output):
    """What the lines "SKIP: <reason>" of a test say."""
    return [line[len("SKIP: "):].strip() for line in output.splitlines() if line.startswith("SKIP: ")]


# A line of the tables of test/crash/report.hpp: a cell, which is a scenario in a profile, and its counts.
CELL = re.compile(r"(?P<scenario>.+?)  +\S.*?(?P<instructions>\d+) +(?P<changes>\d+) +(?P<states>\d+) +(?P<alone>\d+) +(?P<takeover>\d+) "
                  r"+(?P<read>\d+)\( *\d+\) +(?P<kills>\d+)\( *\d+\) +(?P<second>\d+)\( *\d+\) +(?P<bad>\d+) +[\d.]+")
FIGURE = re.compile(r"storm .* operations|.* latencies in ")


def measured(name, output):
    """What is worth telling of a test that passed, in lines."""
    lines = output.splitlines()
    cells = [match for match in map(CELL.fullmatch, lines) if match]
    if cells:
        total = {key: sum(int(cell[key]) for cell in cells) for key in ("states", "alone", "takeover", "read", "kills", "second", "bad")}
        yield (f"{name}: {len(cells)} cells, {total['states']} states of memory; recovered alone {total['alone']}, through takeover "
               f"{total['takeover']}, read read-only {total['read']}; {total['kills']} real kills; {total['second']} kills of a recovery; "
               f"{total['bad']} bad")
    yield from (line for line in lines if FIGURE.match(line))


def classify(case):
    """("passed" | "failed" | "skipped", reason)"""
    skipped = case.find("skipped")
    if skipped is not None:
        message = skipped.get("message", "")
        if message == "SKIP_RETURN_CODE=77":
            said = reasons(case.findtext("system-out") or "")
            return "skipped", "; ".join(said) if said else "it does not say why"
        return "failed", message or "not run"
    if case.get("status") != "run":
        failure = case.find("failure")
        return "failed", failure.get("message") if failure is not None else ""
    return "passed", ""


def main():
    found = {"passed": [], "failed": [], "skipped": []}
    figures = []
    for argument in sys.argv[1:]:
        if argument.startswith("--broken="):
            found["failed"].append((f"{argument.split('=', 1)[1]}: build", "not everything could be built"))
            continue
        path = pathlib.Path(argument)
        build = path.parent.name
        cases = list(xml.parse(path).iter("testcase")) if path.exists() else []
        if not cases:
            found["failed"].append((f"{build}: tests", "none was run"))
        table = [line for case in cases for line in (case.findtext("system-out") or "").splitlines() if CELL.fullmatch(line)]
        if table:
            cells = path.parent / "crash_cells.txt"
            cells.write_text("\n".join(table) + "\n")
            figures.append(f"{build}: the states of each of {len(table)} cells, line by line: {cells}")
        for case in cases:
            outcome, reason = classify(case)
            found[outcome].append((f"{build}: {case.get('name')}", reason))
            figures += measured(f"{build}: {case.get('name')}", case.findtext("system-out") or "")
    print()
    if figures:
        print("measured:")
        for figure in figures:
            print(f"    {figure}")
    for outcome in ("skipped", "failed"):
        if found[outcome]:
            print(f"{outcome}:")
            for name, reason in found[outcome]:
                print(f"    {name}: {reason}" if reason else f"    {name}")
    print(", ".join(f"{len(found[outcome])} {outcome}" for outcome in ("passed", "failed", "skipped")))
    return 1 if found["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
