"""Writes the figures of a run into docs/benchmarks.md and docs/benchmarks.svg: bench/run --publish FILE."""

import json
import os
import sys

import plot
from places import PLACES
from table import WAYS, cpu_text, rate_text, time_text, ways

DOCS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "docs")
SECTIONS = {  # with io_uring or without: where the figures stand in the page
    True: ("<!-- figures: written by bench/run --publish -->", "<!-- end of the figures -->"),
    False: ("<!-- figures without io_uring: written by bench/run --publish -->", "<!-- end of the figures without io_uring -->"),
}
FACES = {"posix": "POSIX AIO: glibc → uringaio", "libaio": "libaio: the kernel's AIO → uringaio"}
NOTES = {"good": "", "limit": " =", "below": " **<**"}


def table(cells):
    others = any(ways(cell) for cell in cells)  # none of a run with REFERENCES=no
    lines = ["| pattern | original /s | ours /s | ratio | floor | CPU µs/op | p99 |" + " other ways /s |" * others,
             "|---|--:|--:|--:|--:|--:|--:|" + "---|" * others]
    for cell in cells:
        peer, ours = cell["peer"], cell["ours"]
        lines.append(
            f"| {cell['title']} | {rate_text(peer['rate'])} | {rate_text(ours['rate'])} | "
            f"{plot.number(cell['ratio'])}{NOTES[cell['verdict']]} | {cell['floor']:.2f} | "
            f"{cpu_text(peer['cpu'])} → {cpu_text(ours['cpu'])} | "
            f"{time_text(peer['p99'])} → {time_text(ours['p99'])} |" + f" {ways(cell)} |" * others)
    return lines


def growth(grown):
    lines = []
    for face, title in (("posix", "POSIX AIO"), ("libaio", "libaio")):
        rows = grown.get(f"{face}-in-flight")
        if rows:
            lines += ["", f"{title}, O_DIRECT reads in batches of at most 64; one more in flight takes "
                      f"{rows['bytes']['ours']:.0f} bytes (original: {rows['bytes']['peer']:.0f}).", "",
                      "| in flight | original /s | ours /s | CPU µs/op |", "|--:|--:|--:|--:|"]
            lines += [f"| {int(depth):,} | {rate_text(row['peer']['rate'])} | {rate_text(row['ours']['rate'])} | "
                      f"{cpu_text(row['peer']['cpu'])} → {cpu_text(row['ours']['cpu'])} |" for depth, row in rows["rows"].items()]
    if grown.get("contexts"):
        lines += ["", "Contexts of libaio: processor time to make one, time to destroy one.", "",
                  "| contexts | setup µs | destroy µs | bytes of each |", "|--:|--:|--:|--:|"]
        lines += [f"| {int(count):,} | {row['peer']['setup']:.1f} → {row['ours']['setup']:.1f} | "
                  f"{row['peer']['destroy']:,.0f} → {row['ours']['destroy']:,.0f} | "
                  f"{row['peer']['bytes']:,.0f} → {row['ours']['bytes']:,.0f} |" for count, row in grown["contexts"].items()]
    if grown.get("threads"):
        lines += ["", "Threads that submit, each with 4 in flight on a context of its own (libaio).", "",
                  "| threads | original /s | ours /s | CPU µs/op |", "|--:|--:|--:|--:|"]
        lines += [f"| {count} | {rate_text(row['peer']['rate'])} | {rate_text(row['ours']['rate'])} | "
                  f"{cpu_text(row['peer']['cpu'])} → {cpu_text(row['ours']['cpu'])} |" for count, row in grown["threads"].items()]
    if "load_ms" in grown:
        lines += ["", f"A program starts {grown['load_ms']:.2f} ms later with the library."]
    return ["", "#### As work grows", *lines] if lines else []


def section(results):
    host = results["machine"]
    disk = f"{host['file_system']}, the disk of this machine"
    lines = ["", f"{host['processor']}, {host['cpus']} CPUs, Linux {host['kernel']}, {host['libc']}; "
             f"{results['rounds']} rounds or more of {results['seconds_each']:g} s on each side in turns; {results['date']}."]
    below = [cell for cell in results["cells"] if cell["ratio"] < 1]
    lines += ["", f"Below 1.0: {len(below)} of {len(results['cells'])} cells"
              + (": " + ", ".join(f"{cell['cell']} {cell['ratio']:.2f}" for cell in below) if below else "") + "."]
    missed = [cell for cell in results["cells"] if cell["misses"]]
    if missed:
        lines += ["", "Floors that were missed:", ""]
        for cell in missed:
            limit = ""
            if cell["verdict"] == "limit":
                limit = f"; the fastest other way, {WAYS[cell['best']['engine']]}, is no faster ({cell['best']['ratio']:.2f})"
            lines.append(f"- **{cell['cell']}**: {'; '.join(cell['misses'])}{limit}")
    for place in dict.fromkeys(cell["place"] for cell in results["cells"]):
        title = disk if place == "disk" else PLACES[place]
        lines += ["", f"#### {title}"]
        for face, words in FACES.items():
            cells = [cell for cell in results["cells"] if cell["place"] == place and cell["face"] == face]
            if cells:
                lines += ["", words, "", *table(cells)]
    lines += growth(results.get("growth") or {})
    if results["not_run"]:
        lines += ["", "Not run: " + "; ".join(f"{entry['cell']} ({entry['reason']})" for entry in results["not_run"]) + "."]
    return "\n".join([*lines, ""])


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        results = json.load(file)
    page = os.path.join(DOCS, "benchmarks.md")
    with open(page, encoding="utf-8") as file:
        text = file.read()
    begin, end = SECTIONS[results["has_io_uring"]]
    before, rest = text.split(begin)
    with open(page, "w", encoding="utf-8") as file:
        file.write(f"{before}{begin}\n{section(results)}\n{end}{rest.split(end)[1]}")
    print(f"written: {page}")
    if not results["has_io_uring"]:
        return
    picture = os.path.join(DOCS, "benchmarks.svg")
    with open(picture, "w", encoding="utf-8") as file:
        file.write(plot.draw(results))
    print(f"written: {picture}")


if __name__ == "__main__":
    main()
