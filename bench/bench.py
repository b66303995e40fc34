"""The benchmark: every cell on the original and on uringaio in turns. Started by bench/run; docs/benchmarks.md says more."""

import argparse
import json
import os
import platform
import re
import shutil
import signal
import sys
import time

import table
from cells import SMOKE, all_cells
from growth import Growth
from places import PLACES, Places, Unavailable
from progress import Progress
from runner import Bench, Failed, References, Side
from verdict import is_undecided, summary

ENGINES = {"posix": "posixaio", "libaio": "libaio"}
MORE_ROUNDS = 2  # times as many as asked for, at most, where the interval of the ratio spans the floor
MISSED, NOTHING_RAN, INTERRUPTED = 1, 2, 130


def machine(directory):
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    kind, best = "?", ""
    real = os.path.realpath(directory)
    with open("/proc/mounts", encoding="utf-8") as file:
        for line in file:
            _, mount, fstype, *_ = line.split()
            if (real + "/").startswith(mount.rstrip("/") + "/") and len(mount) >= len(best):
                kind, best = fstype, mount
    # What a distribution or a host adds to the number says nothing here.
    kernel = re.match(r"[\d.]+", platform.release())
    return {"processor": model, "cpus": os.cpu_count(), "kernel": kernel.group(0) if kernel else platform.release(),
            "file_system": kind, "libc": " ".join(platform.libc_ver())}


class Run:
    """The whole of one run of the benchmark."""

    def __init__(self, options):
        self.options = options
        self.rounds = int(os.environ.get("ROUNDS") or (3 if options.smoke else 5))
        self.seconds = float(os.environ.get("SECONDS_EACH") or (0.5 if options.smoke else 1))
        self.progress = Progress()
        directory = os.path.abspath(os.environ.get("BENCH_DIR") or options.output)
        self.machine = machine(directory)
        disk_mib = int(os.environ.get("BENCH_MIB") or (256 if options.smoke else 1024))
        self.places = Places(directory, options.output, disk_mib, options.programs, self.progress)
        self.bench = Bench(self.places, options.programs, self.seconds)
        self.results, self.skipped, self.broken, self.grown = [], [], [], {}

    def chosen(self):
        pattern, cells = os.environ.get("CELLS", ""), []
        for cell in all_cells(PLACES):
            if not re.search(pattern, cell.name) or (self.options.smoke and cell.name not in SMOKE):
                continue
            if self.options.smoke or os.environ.get("REFERENCES") == "no" or (cell.kind != "qemu" and not shutil.which("fio")):
                cell.references = ()
            tool = {"qemu": "qemu-img"}.get(cell.kind, cell.kind)
            if cell.kind == "program":
                if os.path.exists(os.path.join(self.options.programs, cell.arguments[0])):
                    cells.append(cell)
                else:
                    self.skipped.append((cell.name, "its program could not be built"))
            elif shutil.which(tool):
                cells.append(cell)
            else:
                self.skipped.append((cell.name, f"{tool} is not installed"))
        return cells

    def sides_of(self, cell):
        engine = "native" if cell.kind == "qemu" else ENGINES[cell.face]
        peer = Side("original", cell, {}, engine, self.bench)
        ours = Side("ours", cell, {"LD_PRELOAD": self.options.library}, engine, self.bench)
        other = Side("other", cell, {"LD_PRELOAD": self.options.other}, engine, self.bench) if self.options.other else None
        return peer, ours, other, References(cell, self.bench)

    def measure(self, cell):
        """All rounds of a cell. The sides take turns, and none always goes first."""
        peer, ours, other, references = self.sides_of(cell)
        turn, most = 0, self.rounds * MORE_ROUNDS
        while turn < self.rounds or (turn < most and is_undecided(cell, ours, peer)):
            sides = [side for side in (peer, ours, other) if side]
            if references.engines and turn % 2 == 0:
                sides.append(references)
            first = turn % len(sides)
            for side in sides[first:] + sides[:first]:
                self.progress.note(f"{cell.name}, round {turn + 1}, {side.name}")
                try:
                    side.run(turn)
                except Failed as failure:
                    if side is ours:
                        self.broken.append((cell.name, str(failure)))
                    else:
                        self.skipped.append((cell.name, f"{side.name}: {failure}"))
                    return
            turn += 1
        self.results.append(summary(cell, peer, ours, other, references))

    def cells(self):
        cells = self.chosen()
        print(table.about(self.about()))
        if self.options.other:
            print(f"other: {self.options.other}")
        self.progress.steps = len(cells)
        for number, cell in enumerate(cells):
            try:
                self.places.path(cell.place)
            except Unavailable as reason:
                self.progress.clear()
                self.skipped.append((cell.name, f"{PLACES[cell.place]}: {reason}"))
                continue
            if not number or cells[number - 1].place != cell.place:
                self.progress.clear()
                print(table.head(PLACES[cell.place], bool(self.options.other)), flush=True)
            before = len(self.results)
            self.measure(cell)
            self.progress.done = number + 1
            self.progress.clear()
            if len(self.results) > before:
                print(table.row(self.results[-1]), flush=True)
            if cell.place != "disk" and (number + 1 == len(cells) or cells[number + 1].place != cell.place):
                self.places.done_with(cell.place)

    def growth(self):
        pattern = os.environ.get("CELLS", "")
        if self.options.smoke:
            return
        growth = Growth(self.options.library, self.options.programs, self.places, min(self.rounds, 3), self.seconds,
                        self.progress)
        self.grown, failures = growth.run(lambda name: re.search(pattern, name))
        self.skipped += failures

    def about(self):
        return {"machine": self.machine, "rounds": self.rounds, "seconds_each": self.seconds,
                "has_io_uring": os.environ.get("URINGAIO_ENGINE") != "threads",
                "date": time.strftime("%Y-%m-%d", time.gmtime())}

    def write(self):
        path = os.path.join(self.options.output, "bench-results.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({**self.about(), "cells": self.results, "growth": self.grown,
                       "broken": [{"cell": name, "reason": reason} for name, reason in self.broken],
                       "not_run": [{"cell": name, "reason": reason} for name, reason in self.skipped]}, file, indent=1)
        print(f"written: {path}")

    def status(self):
        if self.broken or any(result["verdict"] == "below" for result in self.results):
            return MISSED
        return 0 if self.results or self.grown else NOTHING_RAN


def interrupted(_number, _frame):
    """Once: what is undone then is not interrupted again."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", required=True)
    parser.add_argument("--other", default="")
    parser.add_argument("--programs", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    for library in filter(None, (options.library, options.other)):
        if not os.path.exists(library):
            sys.exit(f"{library} is not there: make library")
    options.output = os.path.abspath(options.output)
    options.library = os.path.abspath(options.library)
    options.other = os.path.abspath(options.other) if options.other else ""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    run, stopped = Run(options), False
    try:
        run.cells()
        run.growth()
    except KeyboardInterrupt:
        stopped = True
        run.skipped.append(("the rest", "interrupted"))
    finally:
        run.progress.clear()
        run.places.close()
    print(table.end(run.results, run.broken, run.skipped))
    if run.results or run.grown:
        run.write()
    return INTERRUPTED if stopped else run.status()


if __name__ == "__main__":
    sys.exit(main())
