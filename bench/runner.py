"""Runs one side of one cell once, and tells how fast it went and what it cost."""

import json
import os
import re
import signal
import subprocess
import tempfile
import threading

from cells import SMALL

HANG_S = 120  # on top of a run's own length; then it counts as hung
START_UP_REQUESTS = 16  # a run this short shows what starting and ending cost
QEMU_PROBE_REQUESTS = 4000


class Failed(Exception):
    """A run that gave no figure, with the reason for people."""


def execute(command, environment, directory, seconds):
    """The output, and the processor time in seconds of the process and its children."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        # A session of its own, so that an interruption ends it with all its children.
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, cwd=directory,
                                   env={**os.environ, **environment}, start_new_session=True)
        hung = threading.Timer(seconds + HANG_S, os.killpg, (process.pid, signal.SIGKILL))
        hung.daemon = True
        hung.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            os.waitpid(process.pid, 0)
            raise
        finally:
            hung.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        text, said = output.read().decode(errors="replace"), errors.read().decode(errors="replace")
        if process.returncode != 0:
            lines = said.strip().splitlines() or text.strip().splitlines() or ["no output"]
            hang = f" after {seconds + HANG_S:.0f} s" if process.returncode == -signal.SIGKILL else ""
            raise Failed(f"status {process.returncode}{hang}: {lines[-1]}")
        if "cannot be preloaded" in said:
            raise Failed("the library was not loaded")
    return text, usage.ru_utime + usage.ru_stime


def fio(arguments, engine, environment, path, size, seconds, requests=None):
    """One run of fio. With requests it ends after so many instead."""
    ends = [f"--number_ios={requests}"] if requests else ["--time_based", f"--runtime={round(seconds * 1000)}ms"]
    command = ["fio", "--name=cell", f"--filename={path}", f"--ioengine={engine}", "--output-format=json",
               "--group_reporting", "--lat_percentiles=1", "--clat_percentiles=0", "--percentile_list=50:99",
               "--randrepeat=0", *arguments, *ends]
    if not any(argument.startswith("--size=") for argument in arguments):
        command.append(f"--size={size}")
    text, cpu = execute(command, environment, os.path.dirname(path), seconds)
    try:
        job = json.loads(text[text.index("{"):])["jobs"][0]
    except (ValueError, KeyError, IndexError) as error:
        raise Failed(f"fio's output is not what it should be: {error}") from error
    if job["error"]:
        raise Failed(f"fio: error {job['error']}")
    way = job["write"] if job["write"]["total_ios"] else job["read"]
    latency = way["lat_ns"].get("percentile", {})
    return {"operations": way["total_ios"], "rate": way["iops"], "cpu_total": cpu,
            "p50": latency.get("50.000000", 0) / 1000, "p99": latency.get("99.000000", 0) / 1000}


def qemu(arguments, engine, environment, path, requests, seconds):
    command = ["qemu-img", "bench", "-f", "raw", "-n", "-t", "none", "-i", engine, "-c", str(requests), "-s", "4096",
               *arguments, path]
    text, cpu = execute(command, environment, os.path.dirname(path), seconds)
    took = re.search(r"Run completed in ([\d.]+) seconds", text)
    if not took:
        raise Failed("qemu-img's output is not what it should be")
    return {"operations": requests, "rate": requests / max(float(took.group(1)), 0.001), "cpu_total": cpu, "p50": None,
            "p99": None}


def sysbench(environment, directory, seconds, requests=None):
    ends = ["--time=0", f"--events={requests}"] if requests else [f"--time={max(1, round(seconds))}", "--events=0"]
    text, cpu = execute(
        ["sysbench", "fileio", "--file-total-size=256M", "--file-num=4", "--file-io-mode=async", "--file-async-backlog=128",
         "--file-extra-flags=direct", "--file-test-mode=rndrw", *ends, "run"], environment, directory, seconds)
    if "FATAL" in text:
        raise Failed("sysbench: FATAL")
    rates = [float(value) for value in re.findall(r"(?:reads|writes)/s: +([\d.]+)", text)]
    events = re.search(r"total number of events: +(\d+)", text)
    return {"operations": int(events.group(1)), "rate": sum(rates), "cpu_total": cpu, "p50": None, "p99": None}


class Bench:
    """What all runs share: where the devices and programs are, how long a run is, what starting costs."""

    def __init__(self, places, programs, seconds):
        self.places, self.programs, self.seconds = places, programs, seconds
        self.start_up = {}  # processor time, by what is started
        self.qemu_requests = {}  # that take about one run's length, by depth
        self.sysbench = None

    def sysbench_folder(self):
        if not self.sysbench:
            self.sysbench = self.places.empty_folder(self.places.all, "sysbench", remove_files)
            subprocess.run(["sysbench", "fileio", "--file-total-size=256M", "--file-num=4", "prepare"], cwd=self.sysbench,
                           stdout=subprocess.DEVNULL, check=True)
        return self.sysbench

    def settle(self, cell):
        """Every run begins alike: nothing is dirty, and the file is in the page cache or not as the cell says."""
        if cell.kind == "sysbench":
            os.sync()
            return
        with open(self.places.path(cell.place), "rb", buffering=0) as file:
            os.fsync(file.fileno())
            if cell.place != "tmpfs":
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            if cell.cached:
                left = SMALL
                while left > 0:
                    left -= len(file.read(min(left, 1 << 20)) or b"x" * left)


def remove_files(folder):
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    os.rmdir(folder)


class Side:
    """One side of a cell: the original, uringaio, or another build of it."""

    def __init__(self, name, cell, environment, engine, bench):
        self.name, self.cell, self.environment, self.engine, self.bench = name, cell, environment, engine, bench
        self.runs = []

    def start_up(self):
        """Processor time of starting and ending, which is left out: seen with next to no requests."""
        key = (self.cell.kind, self.engine, self.cell.place, "--numjobs=8" in self.cell.arguments, *self.environment.values())
        if key not in self.bench.start_up:
            runs = [self.once(1, START_UP_REQUESTS)["cpu_total"] for _ in range(2)]
            self.bench.start_up[key] = min(runs)
        return self.bench.start_up[key]

    def once(self, seconds, requests=None):
        cell, bench = self.cell, self.bench
        if cell.kind == "sysbench":
            return sysbench(self.environment, bench.sysbench_folder(), seconds, requests)
        path = bench.places.path(cell.place)
        if cell.kind == "qemu":
            if not requests:
                key = tuple(cell.arguments)
                if key not in bench.qemu_requests:
                    rate = qemu(cell.arguments, self.engine, {}, path, QEMU_PROBE_REQUESTS, seconds)["rate"]
                    bench.qemu_requests[key] = max(1000, int(rate * seconds))
                requests = bench.qemu_requests[key]
            return qemu(cell.arguments, self.engine, self.environment, path, requests, seconds)
        return fio(cell.arguments, self.engine, self.environment, path, bench.places.size(cell.place), seconds, requests)

    def run(self, _turn):
        seconds, bench = self.bench.seconds, self.bench
        if self.cell.kind == "program":
            bench.settle(self.cell)
            program, *arguments = self.cell.arguments
            known = {"{file}": bench.places.path(self.cell.place), "{seconds}": str(seconds)}
            text, _ = execute([os.path.join(bench.programs, program), *(known.get(word, word) for word in arguments)],
                              self.environment, bench.programs, seconds)
            result = json.loads(text)
        else:
            start_up = self.start_up()
            bench.settle(self.cell)
            result = self.once(seconds)
            result["cpu"] = max(result["cpu_total"] - start_up, 0) * 1e6 / max(result["operations"], 1)
        if not result["rate"]:
            raise Failed("nothing was done")
        self.runs.append({key: result[key] for key in ("rate", "cpu", "p50", "p99")})


class References:
    """The same work by other ways: fio's io_uring, plain calls, for POSIX AIO also the kernel's AIO; QEMU's io_uring.

    The first round looks at all of them, every second one after it at the fastest, to compare round by round.
    """

    name = "references"

    def __init__(self, cell, bench):
        self.cell, self.bench, self.engines = cell, bench, cell.references
        self.rates = {}  # engine: {round: operations per second}

    def once(self, engine):
        path = self.bench.places.path(self.cell.place)
        seconds = self.bench.seconds
        if self.cell.kind == "qemu":
            return qemu(self.cell.arguments, engine, {}, path, self.bench.qemu_requests[tuple(self.cell.arguments)], seconds)
        return fio(self.cell.job or self.cell.arguments, engine, {}, path, self.bench.places.size(self.cell.place), seconds)

    def run(self, turn):
        for engine in self.engines:
            self.bench.settle(self.cell)
            try:
                self.rates.setdefault(engine, {})[turn] = self.once(engine)["rate"]
            except Failed:
                self.rates.pop(engine, None)  # not to be had here, as io_uring in many a container
        best = self.best()
        # What is compared with io_uring needs it in every round.
        self.engines = tuple(engine for engine in self.rates
                             if engine == best or (engine == "io_uring" and self.cell.io_uring_floor))

    def best(self):
        return max(self.rates, key=lambda engine: max(self.rates[engine].values()), default=None)
