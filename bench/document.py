#!/usr/bin/env python3
"""document.py <document.md> <file.json>...: puts the figures of a run into a document, in place of those there.

They stand between a line <!-- figures: … --> and a line <!-- end -->. What comes behind the colon is

    machine                             what ran where
    targets                             the table of targets.py
    <benchmark> [set of keys] | [title =] measure [/ number] | …
                                        a table with a line for each contestant: medians, by a number if there is one, and
                                        in brackets how many times as good as the baseline

A block whose benchmark is not among the files stays as it is.
"""

import json
import pathlib
import re
import subprocess
import sys

BLOCK = re.compile(r"(<!-- figures: (.*?) -->\n).*?(<!-- end -->)", re.DOTALL)


def number(value):
    return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f}"


def column(text):
    """'title = measure / divisor' in its parts."""
    title, _, measure = text.strip().rpartition(" = ")
    measure, _, divisor = measure.partition(" / ")
    return title or measure, measure.strip(), float(divisor or 1)


def cell(contestant, measure, divisor):
    figure = contestant["measures"].get(measure)
    if figure is None or figure["median"] is None:
        return "-"
    ratio = figure.get("ratio")
    text = number(figure["median"] / divisor)
    return f"{text} ({ratio:.2f})" if ratio is not None else text


def settings_of(settings):
    rounds = settings["rounds"]
    count = f"{settings['keys']:,} {'items' if settings['key set'] == 'none' else 'keys'}"
    clock = "" if settings["clock"] == "wall" else "; processor time of one process"
    return f"*{count}, {rounds} round{'' if rounds == 1 else 's'}{clock}*"


def table(documents, what):
    """Nothing if its figures are not there."""
    place, *columns = what.split("|")
    benchmark, _, key_set = place.strip().partition(" ")
    columns = [column(text) for text in columns]
    if benchmark not in documents:
        return None
    runs = [run for run in documents[benchmark]["runs"] if key_set in ("", run["settings"]["key set"])]
    if not runs:
        return None
    rows = ["| | " + " | ".join(title for title, _, _ in columns) + " |", "|---|" + "---:|" * len(columns)]
    contestants = runs[0]["contestants"]
    for name in sorted(contestants, key=lambda name: (not name.startswith("ss"), name)):
        cells = [cell(contestants[name], measure, divisor) for _, measure, divisor in columns]
        if any(one != "-" for one in cells):
            rows.append(f"| `{name}` | " + " | ".join(cells) + " |")
    return "\n" + "\n".join(rows) + f"\n\n{settings_of(runs[0]['settings'])}\n\n"


def machine(documents):
    document = next(iter(documents.values()))
    where = document["machine"]
    versions = {one["version"] for document in documents.values() for run in document["runs"]
                for one in run["contestants"].values() if "version" in one}
    return (f"\n{where['processor']}, {where['cores']} cores, {where['kernel']}; {document['compiler']}; commit "
            f"{document['commit']}, {document['date'][:10]}. Peers: {', '.join(sorted(versions))}.\n\n")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    path = pathlib.Path(sys.argv[1])
    documents = {}
    for name in sys.argv[2:]:
        document = json.loads(pathlib.Path(name).read_text())
        documents[document["benchmark"]] = document

    def replace(block):
        what = block[2]
        if what == "machine":
            text = machine(documents)
        elif what == "targets":
            script = pathlib.Path(__file__).with_name("targets.py")
            text = "\n" + subprocess.run([sys.executable, script, *sys.argv[2:]], check=True, capture_output=True,
                                         text=True).stdout + "\n"
        else:
            text = table(documents, what)
        return block[0] if text is None else block[1] + text + block[3]

    path.write_text(BLOCK.sub(replace, path.read_text()))


if __name__ == "__main__":
    main()
