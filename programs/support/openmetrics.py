#!/usr/bin/env python3
"""Reads a page of `uringaio stat --openmetrics` and fails where it departs from OpenMetrics 1.0, or from what node_exporter's
textfile collector reads of it. Prints the names of the samples. With a dashboard as argument: it asks for no others."""
import json
import re
import sys

NAME = r"[a-z][a-z0-9_]*"
LABEL = r'[a-z_]+="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? ([0-9]+)")
SUFFIXES = {"gauge": [""], "counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}


def descriptor(lines):
    """The lines before a family's samples: its name, type and unit."""
    kind = re.fullmatch(rf"# TYPE ({NAME}) ([a-z]+)", lines.pop(0))
    assert kind, "a family begins with its type"
    name, unit = kind[1], None
    assert kind[2] in SUFFIXES, f"{name}: node_exporter does not know the type {kind[2]}"
    if lines[0].startswith("# UNIT "):
        unit = lines.pop(0).removeprefix(f"# UNIT {name} ")
        assert name.endswith(f"_{unit}"), f"{name} does not end in its unit, {unit}"
    assert re.fullmatch(rf"# HELP {name} [^\\]+\.", lines[0]), f"no help for {name}"
    lines.pop(0)
    return name, kind[2]


def series(name, kind, line):
    """One sample: its name, its labels and its value."""
    sample = SAMPLE.fullmatch(line)
    assert sample, f"not a sample: {line}"
    assert sample[1].removeprefix(name) in SUFFIXES[kind], f"{line} in the family {name}"
    labels = re.findall(r'([a-z_]+)="((?:[^"\\]|\\.)*)"', sample[2] or "")
    assert len({label for label, _ in labels}) == len(labels), f"a label twice: {line}"
    return sample[1], labels, int(sample[3])


def histogram(name, samples):
    """Bounds and counts grow, the last bucket is without bound, and the count is its."""
    bounds = {}
    for sample, labels, value in samples:
        of = tuple(label for label in labels if label[0] != "le")
        if sample.endswith("_bucket"):
            bounds.setdefault(of, []).append((float(dict(labels)["le"]), value))
        if sample.endswith("_count"):
            assert value == bounds[of][-1][1], f"{name}: {value} is not the last bucket"
    for buckets in bounds.values():
        assert buckets == sorted(buckets) and len({bound for bound, _ in buckets}) == len(buckets), f"{name}: {buckets}"
        assert [count for _, count in buckets] == sorted(count for _, count in buckets), f"{name}: {buckets}"
        assert buckets[-1][0] == float("inf"), f"{name}: no bucket without bound"


def page(text):
    """The names of all samples."""
    assert text.endswith("\n# EOF\n"), "it does not end in # EOF"
    lines = text.splitlines()[:-1]
    families, names, seen = set(), set(), set()
    while lines:
        name, kind = descriptor(lines)
        assert name not in families, f"{name} twice"
        families.add(name)
        samples = []
        while lines and not lines[0].startswith("#"):
            samples.append(series(name, kind, lines.pop(0)))
        for sample, labels, _ in samples:
            assert (sample, tuple(sorted(labels))) not in seen, f"twice: {sample} {labels}"
            seen.add((sample, tuple(sorted(labels))))
            names.add(sample)
        if kind == "histogram":
            histogram(name, samples)
    return names


names = page(sys.stdin.read())
if len(sys.argv) == 2:
    asked = set(re.findall(r"\buringaio_[a-z_]+", json.dumps(json.load(open(sys.argv[1], encoding="utf-8")))))
    assert asked and asked <= names, f"the dashboard asks for {asked - names}"
print(*sorted(names), sep="\n")
