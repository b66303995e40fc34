#!/usr/bin/env python3
"""What it costs a program at full load that `uringaio stat` watches it: `make bench-stat`.

One fio runs throughout, 4 KiB random reads, 32 in flight: by O_DIRECT, and from the page cache, where an operation takes a
microsecond and nothing but processor time counts. `uringaio stat` is attached to it throughout as well, at its own rate, and is
stopped and continued (SIGSTOP, SIGCONT) in turn, so that nothing of what is compared is its start. The windows come in pairs,
with and without, whose order changes from pair to pair. Operations are counted by the kernel (/proc/PID/io), and processor
time as well (the threads' schedstat): neither asks the library.

The ratio is the mean of the middle half of the pairs; its interval of 95 % says how far it can be trusted. On a busy machine that
is not far, so what watching is made of is measured as well, as processor time: the command's own, and what it costs to time an
operation, of which the command asks for 5,000 a second.

Status 0: the parts together are less than 1 % of one processor, and no cell's interval lies below 0.99.

ROUNDS=n pairs (300), SECONDS_EACH=s a window (0.4), EVERY=s between two readings of stat (1), CELLS=regular-expression,
BENCH_DIR=directory for the file.
"""

import json
import math
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COMMAND = os.environ.get("URINGAIO_COMMAND", os.path.join(TOP, "target/release/uringaio"))
PAIRS = max(8, int(os.environ.get("ROUNDS", 300)))
WINDOW = float(os.environ.get("SECONDS_EACH", 0.4))
EVERY = float(os.environ.get("EVERY", 1))
SETTLE = 0.03  # after stopping or continuing: what is still to be timed then, is timed by then
BLOCK = 4096
TIMED = 5000  # operations that uringaio stat has timed a second
# fio's engine, whether O_DIRECT, and what the kernel counts: bytes from the disk, or bytes handed over.
CELLS = {
    "posix/direct": ("posixaio", 1, "read_bytes"),
    "posix/cached": ("posixaio", 0, "rchar"),
    "libaio/direct": ("libaio", 1, "read_bytes"),
    "libaio/cached": ("libaio", 0, "rchar"),
}


def numbers(pid, counter):
    """Blocks read, and nanoseconds of processor time of all threads that are there."""
    with open(f"/proc/{pid}/io", encoding="ascii") as file:
        read = int(next(line for line in file if line.startswith(f"{counter}:")).split()[1])
    cpu = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
            cpu += int(file.read().split()[0])
    return read / BLOCK, cpu


def window(pid, counter):
    """Operations a second, and nanoseconds of processor time for each, in one window."""
    begun, (blocks, cpu) = time.monotonic(), numbers(pid, counter)
    time.sleep(WINDOW)
    ended, (blocks_after, cpu_after) = time.monotonic(), numbers(pid, counter)
    done = blocks_after - blocks
    if done <= 0:
        sys.exit("fio has done nothing")
    return done / (ended - begun), (cpu_after - cpu) / done


def middle(values):
    """The mean of the middle half: as robust as need be, and surer than the median."""
    quarter = len(values) // 4
    return statistics.fmean(sorted(values)[quarter:len(values) - quarter])


def interval(values):
    """The middle, and the 95 % interval of it (bootstrap)."""
    chance = random.Random(1)
    samples = sorted(middle(chance.choices(values, k=len(values))) for _ in range(2000))
    return middle(values), samples[50], samples[1949]


def measure(engine, direct, counter, directory):
    file = os.path.join(directory, "file")
    fio = subprocess.Popen(
        [COMMAND, "run", "--", "fio", "--name=watched", f"--filename={file}", "--size=256M", f"--ioengine={engine}",
         "--rw=randread", "--bs=4k", f"--direct={direct}", "--iodepth=32", "--thread", "--time_based", "--runtime=3600",
         "--randrepeat=0", "--norandommap=1", "--gtod_reduce=1"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    watcher = None
    try:
        until = time.monotonic() + 120  # fio writes its file first
        while subprocess.run([COMMAND, "stat", "--once", str(fio.pid)], capture_output=True, check=False).returncode != 0:
            if fio.poll() is not None or time.monotonic() > until:
                sys.exit("fio did not come to its first request")
            time.sleep(0.1)
        watcher = subprocess.Popen([COMMAND, "stat", "--json", "--interval", str(EVERY), str(fio.pid)],
                                   stdout=subprocess.PIPE, text=True)
        watcher.stdout.readline()
        # What it says is read and thrown away by a third process, so that it never waits.
        drain = subprocess.Popen(["cat"], stdin=watcher.stdout, stdout=subprocess.DEVNULL)
        time.sleep(2)
        rates, costs, watched = [], [], 0.0
        absolute = {False: [], True: []}
        watcher_before = numbers_of_watcher(watcher.pid)
        for pair in range(PAIRS):
            seen = {}
            for with_it in ((False, True), (True, False))[pair % 2]:
                watcher.send_signal(signal.SIGCONT if with_it else signal.SIGSTOP)
                time.sleep(SETTLE)
                seen[with_it] = window(fio.pid, counter)
                watched += (WINDOW + SETTLE) if with_it else 0
            rates.append(seen[True][0] / seen[False][0])
            costs.append(seen[True][1] / seen[False][1])
            for with_it in absolute:
                absolute[with_it].append(seen[with_it][0])
        watcher.send_signal(signal.SIGCONT)
        own = (numbers_of_watcher(watcher.pid) - watcher_before) / 1e9 / watched
        watcher.terminate()
        drain.wait()
    finally:
        for process in (watcher, fio):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
                process.wait()
    return {"unwatched": absolute[False], "watched": absolute[True], "rates": rates, "costs": costs, "own": own}


def timing(directory):
    """Microseconds of processor time that timing adds to an operation: cached reads with all of them timed, and with none."""
    file = os.path.join(directory, "file")
    with open(file, "wb") as out:
        out.write(os.urandom(16 << 20))
    library = os.path.join(TOP, "target/release/liburingaio.so")
    # POSIX AIO, reads, cached, read once before, one in flight: see src/bin/uringaio/load.rs.
    command = [COMMAND, "__load", file, "0", "0", "0", "1", "1", str(WINDOW)]
    extra = []
    for pair in range(max(8, PAIRS // 10)):
        cost = {}
        for timed in (("0", "1"), ("1", "0"))[pair % 2]:
            done = subprocess.run(command, env={**os.environ, "LD_PRELOAD": library, "URINGAIO_STATS": timed},
                                  capture_output=True, check=True)
            seen = json.loads(done.stdout)
            cost[timed] = seen["cpu_seconds"] * 1e6 / seen["operations"]
        extra.append(cost["1"] - cost["0"])
    return interval(extra)


def numbers_of_watcher(pid):
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0])


def main():
    if not os.access(COMMAND, os.X_OK):
        sys.exit("the command is not built: make command")
    where = os.environ.get("BENCH_DIR", os.path.join(TOP, "target/bench"))
    os.makedirs(where, exist_ok=True)
    print(f"watched by uringaio stat every {EVERY:g} s, and not: {PAIRS} pairs of windows of {WINDOW} s, in turn")
    print(f"{'':14}{'unwatched':>12}{'IOPS ratio':>12}{'95 % interval':>18}{'CPU ratio':>12}{'95 % interval':>18}"
          f"{'spread of a pair':>18}")
    results, own, harmed = {}, [], []
    for cell, plan in CELLS.items():
        if not re.search(os.environ.get("CELLS", ""), cell):
            continue
        with tempfile.TemporaryDirectory(prefix="watched.", dir=where) as directory:
            seen = results[cell] = measure(*plan, directory)
        rate, low, high = interval(seen["rates"])
        cost, cost_low, cost_high = interval(seen["costs"])
        spread = statistics.stdev(math.log(ratio) for ratio in seen["rates"]) * 100
        print(f"{cell:14}{statistics.median(seen['unwatched']):>10,.0f}/s{rate:>12.4f}{f'{low:.4f} to {high:.4f}':>18}"
              f"{cost:>12.4f}{f'{cost_low:.4f} to {cost_high:.4f}':>18}{spread:>16.1f} %")
        own.append(seen["own"] * 100)
        if high < 0.99:
            harmed.append(cell)
    if not own:
        sys.exit("no cell has such a name")
    with tempfile.TemporaryDirectory(prefix="watched.", dir=where) as directory:
        extra, _, most = results["timing"] = timing(directory)
    parts = max(own) + most * TIMED / 1e6 * 100
    print(f"timing an operation takes {extra * 1000:.0f} ns of a processor, {most * 1000:.0f} at most; {TIMED:,} a second of them "
          f"{most * TIMED / 1e6 * 100:.3f} %; uringaio stat itself {max(own):.2f} %")
    print(f"being watched costs {parts:.2f} % of one processor" + (f"; slower than that: {' '.join(harmed)}" if harmed else ""))
    with open(os.path.join(TOP, "target/bench/watched.json"), "w", encoding="utf-8") as file:
        json.dump(results, file)
    return 0 if parts < 1 and not harmed else 1


if __name__ == "__main__":
    sys.exit(main())
