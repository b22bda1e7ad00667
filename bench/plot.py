#!/usr/bin/env python3
"""plot.py <directory> <file.json>...: drawings (SVG) of the figures that the benchmarks have written. Needs matplotlib."""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "ss"  # the same figures, the same file
matplotlib.rcParams["svg.fonttype"] = "none"  # text stays text
import matplotlib.pyplot as plt

COLORS = plt.get_cmap("tab20").colors


def medians(contestant):
    return {name: figure["median"] for name, figure in contestant["measures"].items() if figure["median"]}


class Drawings:
    def __init__(self, directory, document, run):
        self.directory = directory
        self.name = document["benchmark"]
        self.settings = run["settings"]
        self.contestants = {name: medians(one) for name, one in run["contestants"].items()}
        self.mixes = {
            measure: figure["mix"]
            for one in run["contestants"].values()
            for measure, figure in one["measures"].items()
            if "mix" in figure
        }
        # ss first, then the others as they come.
        self.order = sorted(self.contestants, key=lambda name: (not name.startswith("ss"), name))
        self.color = {name: COLORS[i % len(COLORS)] for i, name in enumerate(self.order)}
        machine = document["machine"]
        self.foot = f"{machine['processor']}, {machine['cores']} cores, commit {document['commit']}, {document['date'][:10]}"

    def save(self, figure, what):
        key_set = self.settings["key set"]
        figure.text(0.01, 0.005, self.foot, fontsize=7, color="gray")
        figure.tight_layout(rect=(0, 0.02, 1, 1))
        path = self.directory / f"{self.name}{'' if key_set == 'none' else '-' + key_set}-{what}.svg"
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)
        print(path)

    def bars(self, measures, what, title, unit, log=False):
        """A group of bars for each of `measures`, {label: name}; a bar for each contestant that has it."""
        names = [name for name in self.order if any(one in self.contestants[name] for one in measures.values())]
        if not names:
            return
        figure, axes = plt.subplots(figsize=(max(6, 1.2 + 0.16 * len(names) * len(measures)), 4.2))
        width = 0.85 / len(names)
        for i, name in enumerate(names):
            values = [self.contestants[name].get(one, 0) for one in measures.values()]
            places = [x + (i - (len(names) - 1) / 2) * width for x in range(len(measures))]
            axes.bar(places, values, width, label=name, color=self.color[name])
        if log:
            axes.set_yscale("log")
        axes.set_xticks(range(len(measures)), list(measures), fontsize=8)
        axes.set_ylabel(unit)
        axes.set_title(title, fontsize=10)
        axes.legend(fontsize=6, ncol=2)
        self.save(figure, what)

    def throughput(self):
        """Millions of operations a second over processes: a picture for each way to pick keys and each share of reads."""
        kinds = sorted({(mix["picks"], mix["reads"]) for mix in self.mixes.values()}, key=lambda kind: (kind[0], -kind[1]))
        if not kinds:
            return
        picks = sorted({kind[0] for kind in kinds})
        columns = len(kinds) // len(picks)
        figure, all_axes = plt.subplots(len(picks), columns, figsize=(4.2 * columns, 3.6 * len(picks)), squeeze=False)
        for axes, (pick, reads) in zip(all_axes.flat, kinds):
            for name in self.order:
                points = sorted(
                    (mix["processes"], 1000 / self.contestants[name][measure])
                    for measure, mix in self.mixes.items()
                    if (mix["picks"], mix["reads"]) == (pick, reads) and measure in self.contestants[name]
                )
                if points:
                    axes.plot(*zip(*points), marker="o", markersize=3, label=name, color=self.color[name])
            axes.set_title(f"{pick}, {reads} % reads", fontsize=9)
            axes.set_xticks(sorted({mix["processes"] for mix in self.mixes.values()}))
            axes.set_ylim(bottom=0)
            axes.set_xlabel("processes, or threads", fontsize=8)
            axes.set_ylabel("million operations a second", fontsize=8)
        all_axes.flat[0].legend(fontsize=6, ncol=2)
        self.save(figure, "throughput")

    def percentiles(self):
        marks = ["50", "90", "99", "99.9", "99.99", "worst"]
        figure, axes = plt.subplots(figsize=(6.5, 4.2))
        drawn = False
        for name in self.order:
            values = [self.contestants[name].get(f"insert {mark}") for mark in marks]
            if all(values):
                axes.plot(marks, values, marker="o", markersize=3, label=name, color=self.color[name])
                drawn = True
        axes.set_yscale("log")
        axes.set_xlabel("% of inserts that took no longer")
        axes.set_ylabel("ns")
        axes.set_title("single inserts into a table that grows from nothing", fontsize=10)
        if drawn:
            axes.legend(fontsize=7)
            self.save(figure, "percentiles")
        else:
            plt.close(figure)

    def draw(self):
        operations = {one: one for one in ("insert", "get hit", "get miss", "overwrite", "erase")}
        self.bars(operations, "operations", "one process", "ns per operation", log=True)
        self.bars({"": "bytes allocated"}, "bytes", "bytes allocated per entry", "bytes")
        self.bars({"full scan, per entry": "full scan"}, "scan", "full scan", "ns per entry")
        self.throughput()
        self.percentiles()
        self.bars(
            {
                "alone": "reader alone",
                "beside a writer elsewhere": "reader beside a writer elsewhere",
                "beside a writer": "reader beside a writer",
            },
            "reads",
            "a reader beside a writer that never rests",
            "ns per get",
        )
        self.bars({"1000": "open of 1000", "all": "open of all"}, "time", "open a table of so many, read a key", "ns")
        deaths = {"comes after": "insert after a death", "waits": "insert waiting for a death"}
        self.bars(deaths, "time", "an insert after a death", "ns", log=True)
        self.bars({"": "free and allocate"}, "time", "free one block, allocate another", "ns")
        for number, title in (("queue", "one consumer"), ("queue two", "two consumers")):
            sizes = {str(size): f"{number} {size}" for size in (16, 64, 256, 1024, 4096)}
            self.bars(sizes, number.replace(" ", "-"), f"items of so many bytes, {title}", "ns per item", log=True)
        numbers = {one: f"number {one}" for one in ("load", "store", "add")}
        self.bars(numbers, "numbers", "numbers that processes share", "ns per operation")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    directory = pathlib.Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for path in sys.argv[2:]:
        document = json.loads(pathlib.Path(path).read_text())
        for run in document["runs"]:
            Drawings(directory, document, run).draw()


if __name__ == "__main__":
    main()
