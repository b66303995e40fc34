"""The benchmark: every cell on the system's own AIO and on uringaio in turns. Started by bench/run."""

import argparse
import json
import os
import platform
import re
import shutil
import signal
import statistics
import sys
import time

import plot
from cells import all_cells
from growth import Growth
from runner import Failed, Files, Reach, Side

PEER = {"posix": "posixaio", "libaio": "libaio"}
LIMIT = 0.97  # this much of what can be reached counts as all of it
MARKS = {"good": " ", "limit": "=", "below": "<"}


class Progress:
    """A bar on the terminal, or nothing where standard error is not one."""

    def __init__(self, steps):
        self.steps, self.done, self.shown = steps, 0, sys.stderr.isatty()
        self.started = time.monotonic()

    def note(self, text):
        if not self.shown:
            return
        share = self.done / self.steps if self.steps else 1
        bar = "━" * int(share * 24) + "─" * (24 - int(share * 24))
        left = (time.monotonic() - self.started) / share * (1 - share) if self.done else 0
        clock = f"{int(left) // 60}:{int(left) % 60:02d} left" if self.done else ""
        print(f"\r\033[K  {bar} {share * 100:3.0f} %  {clock:>11}  {text}"[:shutil.get_terminal_size().columns + 3],
              end="", file=sys.stderr, flush=True)

    def step(self):
        self.done += 1

    def clear(self):
        if self.shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


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
    return {"processor": model, "cpus": os.cpu_count(), "kernel": platform.release(), "file_system": kind,
            "libc": " ".join(platform.libc_ver())}


def sides_of(cell, options, files):
    ours = {"LD_PRELOAD": options.library}
    engine = PEER[cell.face]
    return (Side("peer", cell, {}, cell.peer_engine or engine, files, options.programs),
            Side("ours", cell, ours, engine, files, options.programs),
            Reach(cell, files))


def in_turns(sides, turn):
    """Who runs in a round, in order: neither side always goes first. The reach is looked at in every second one."""
    peer, ours, reach = sides
    sides = [peer, ours] + ([reach] if reach.engines and turn % 2 == 0 else [])
    first = turn % len(sides)
    return sides[first:] + sides[:first]


def median(values):
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def summary(cell, peer, ours, reach):
    ratios = [b["rate"] / a["rate"] for a, b in zip(peer.runs, ours.runs)]
    result = {"cell": cell.name, "face": cell.face, "title": cell.title, "floor": cell.floor, "ratio": median(ratios),
              "ratios": ratios, "rounds": len(ratios), "cpu_ceiling": cell.cpu_ceiling or None}
    for side in (peer, ours):
        result[side.name] = {key: median([run[key] for run in side.runs]) for key in ("rate", "cpu", "p50", "p99")}
        result[side.name]["runs"] = side.runs
    result["reach"] = None
    if reach.rates:
        reached = [ours.runs[turn]["rate"] / rate for turn, rate in reach.rates.items()]
        result["reach"] = {"engine": reach.engine, "rate": median(reach.rates.values()), "ratio": median(reached),
                           "ratios": reached}
    result["verdict"] = verdict(result)
    result["cpu_ratio"] = result["ours"]["cpu"] / result["peer"]["cpu"] if result["peer"]["cpu"] else None
    return result


def verdict(result):
    """Good; at the limit: below its floor, but as fast as it can get here; or below."""
    if result["ratio"] >= result["floor"]:
        return "good"
    return "limit" if result["reach"] and result["reach"]["ratio"] >= LIMIT else "below"


def time_text(microseconds):
    if microseconds is None:
        return "–"
    if microseconds >= 10000:
        return f"{microseconds / 1000:.0f} ms"
    if microseconds >= 1000:
        return f"{microseconds / 1000:.1f} ms"
    return f"{microseconds:.0f} µs" if microseconds >= 10 else f"{microseconds:.1f} µs"


def print_head():
    print(f"\n{'cell':<29}{'peer /s':>10}{'ours /s':>10}{'ratio':>8} {'floor':>6}{'reach':>7}   {'CPU µs/op':>13}"
          f"   {'p50':>15}   {'p99':>17}")
    print(f"{'':<29}{'':>10}{'':>10}{'':>8} {'':>6}{'':>7}   {'peer':>6} {'ours':>6}   {'peer':>7} {'ours':>7}"
          f"   {'peer':>8} {'ours':>8}")


def print_row(result):
    peer, ours = result["peer"], result["ours"]
    reach = f"{result['reach']['ratio']:.2f}" if result["reach"] else "–"
    cpu_good = not result["cpu_ceiling"] or result["cpu_ratio"] is None or result["cpu_ratio"] <= result["cpu_ceiling"]
    mark = MARKS[result["verdict"]]
    cpu_mark = " " if cpu_good else ">"
    print(f"{result['cell']:<29}{peer['rate']:>10,.0f}{ours['rate']:>10,.0f}{result['ratio']:>8.2f}{mark}"
          f"{result['floor']:>6.2f}{reach:>7}   {peer['cpu']:>6.1f} {ours['cpu']:>6.1f}{cpu_mark}  {time_text(peer['p50']):>7} {time_text(ours['p50']):>7}"
          f"   {time_text(peer['p99']):>8} {time_text(ours['p99']):>8}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", required=True)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--output", required=True)
    options = parser.parse_args()
    if not os.path.exists(options.library):
        sys.exit(f"{options.library} is not there: make library")
    pattern = os.environ.get("CELLS", "")
    rounds = int(os.environ.get("ROUNDS") or 5)
    seconds = float(os.environ.get("SECONDS_EACH") or 2)
    directory = os.environ.get("BENCH_DIR") or options.output
    # fio and sysbench take whole seconds.
    seconds = max(1, round(seconds))

    cells, skipped = [], []
    for cell in all_cells():
        if not re.search(pattern, cell.name):
            continue
        if os.environ.get("REACH") == "no" or not shutil.which("fio"):
            cell.reach = ()
        if cell.kind in ("fio", "sysbench") and not shutil.which(cell.kind):
            skipped.append((cell.name, f"{cell.kind} is not installed"))
        elif cell.kind == "program" and not os.path.exists(os.path.join(options.programs, cell.arguments[0])):
            skipped.append((cell.name, "its program could not be built"))
        else:
            cells.append(cell)

    steps = [rounds * 2 + (rounds + 1) // 2 * bool(cell.reach) for cell in cells]
    progress = Progress(sum(steps))
    files = Files(os.path.abspath(directory), int(os.environ.get("BENCH_MIB") or 1024), progress)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    about = {"machine": machine(directory), "rounds": rounds, "seconds_each": seconds,
             "date": time.strftime("%Y-%m-%d", time.gmtime())}
    host = about["machine"]
    print(f"{host['processor']}, {host['cpus']} CPUs; Linux {host['kernel']}; {host['file_system']}; {host['libc']}")
    print(f"{len(cells)} cells, {rounds} rounds of {seconds} s on each side in turns, medians")
    results, grown = [], {}
    try:
        if cells:
            print_head()
        for number, cell in enumerate(cells):
            sides = sides_of(cell, options, files)
            try:
                for turn in range(rounds):
                    for side in in_turns(sides, turn):
                        progress.note(f"{cell.name}, round {turn + 1}, {side.name}")
                        side.run(turn, seconds)
                        progress.step()
            except Failed as failure:
                skipped.append((cell.name, f"{side.name}: {failure}"))
                continue
            finally:
                progress.done = sum(steps[:number + 1])
            results.append(summary(cell, *sides))
            progress.clear()
            print_row(results[-1])
        grown, failures = Growth(options.library, options.programs, files, min(rounds, 3), seconds, progress).run(
            lambda name: re.search(pattern, name))
        skipped += failures
    except KeyboardInterrupt:
        skipped.append(("the rest", "interrupted"))
    finally:
        progress.clear()
        files.remove()

    for name, reason in skipped:
        print(f"not run: {name}: {reason}")
    if results or grown:
        about["growth"] = grown
        about["cells"] = results
        about["not_run"] = [{"cell": name, "reason": reason} for name, reason in skipped]
        with open(os.path.join(options.output, "results.json"), "w", encoding="utf-8") as file:
            json.dump(about, file, indent=1)
        print(f"\nwritten: {options.output}/results.json")
    if results:
        with open(os.path.join(options.output, "results.svg"), "w", encoding="utf-8") as file:
            file.write(plot.draw(about))
        print(f"written: {options.output}/results.svg")
        named = {mark: [result["cell"] for result in results if result["verdict"] == mark] for mark in MARKS}
        print(f"{len(named['good'])} of {len(results)} cells at or above their floor"
              + (f"; at the machine's limit: {', '.join(named['limit'])}" if named["limit"] else "")
              + (f"; below: {', '.join(named['below'])}" if named["below"] else ""))
    return 0 if results or grown else 1


if __name__ == "__main__":
    sys.exit(main())
