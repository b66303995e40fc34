"""Runs one side of one cell once, and says how fast it went and what it cost."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import replace

from cells import SMALL

HANG = 120  # seconds on top of a run's own length


class Failed(Exception):
    """A run that gave no figure, with the reason for people."""


class Files:
    """The files that the cells work on, made when first asked for."""

    def __init__(self, directory, mebibytes, progress):
        self.directory = directory
        self.size = mebibytes << 20
        self.progress = progress
        self.made = {}
        self.sysbench = None

    def path(self, where):
        if where not in self.made:
            if where == "memory":
                if not os.path.isdir("/dev/shm"):
                    raise Failed("no tmpfs at /dev/shm")
                path, size = f"/dev/shm/uringaio-bench.{os.getpid()}", 4 * SMALL
            else:
                path, size = os.path.join(self.directory, "file"), self.size
            self.progress.note(f"writing {path}, {size >> 20} MiB")
            self.made[where] = path
            chunk = os.urandom(1 << 20)
            with open(path, "wb") as file:
                for _ in range(size >> 20):
                    file.write(chunk)
                os.fsync(file.fileno())
        return self.made[where]

    def for_sysbench(self):
        if not self.sysbench:
            self.sysbench = tempfile.mkdtemp(prefix="sysbench.", dir=self.directory)
            subprocess.run(["sysbench", "fileio", "--file-total-size=256M", "--file-num=4", "prepare"],
                           cwd=self.sysbench, stdout=subprocess.DEVNULL, check=True)
        return self.sysbench

    def settle(self, cell):
        """Every run begins alike: nothing dirty, and cached or not as the cell says."""
        if cell.kind == "sysbench":
            os.sync()
            return
        path = self.path(cell.where)
        with open(path, "rb", buffering=0) as file:
            os.fsync(file.fileno())
            if cell.where == "disk":
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            if cell.before == "cached":
                left = SMALL
                while left > 0:
                    left -= len(file.read(min(left, 1 << 20)) or b"x" * left)

    def remove(self):
        for path in self.made.values():
            if os.path.exists(path):
                os.unlink(path)
        if self.sysbench:
            shutil.rmtree(self.sysbench, ignore_errors=True)


def execute(command, environment, directory, seconds):
    """The output, and the processor time in seconds of the process and all its children."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(["timeout", "-k", "5", str(int(seconds + HANG))] + command, stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=errors, cwd=directory, env={**os.environ, **environment})
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        text = output.read().decode(errors="replace")
        if process.returncode != 0:
            what = errors.read().decode(errors="replace").strip().splitlines() or text.strip().splitlines() or ["no output"]
            raise Failed(f"status {process.returncode}: {what[-1]}")
        if b"cannot be preloaded" in errors.read():
            raise Failed("the library was not loaded")
    return text, usage.ru_utime + usage.ru_stime


def fio(cell, engine, environment, files, seconds, requests=None):
    """requests: end after so many, to learn what starting up costs."""
    ends = [f"--number_ios={requests}"] if requests else ["--time_based", f"--runtime={seconds}"]
    command = ["fio", "--name=cell", f"--filename={files.path(cell.where)}", f"--ioengine={engine}", "--output-format=json",
               "--group_reporting", "--lat_percentiles=1", "--clat_percentiles=0", "--percentile_list=50:99",
               "--randrepeat=0", "--norandommap=1", *cell.arguments, *ends]
    if not any(argument.startswith("--size=") for argument in cell.arguments):
        command.append(f"--size={files.size if cell.where == 'disk' else 4 * SMALL}")
    text, cpu = execute(command, environment, files.directory, seconds)
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


def sysbench(environment, files, seconds, requests=None):
    ends = ["--time=0", f"--events={requests}"] if requests else [f"--time={seconds}", "--events=0"]
    text, cpu = execute(
        ["sysbench", "fileio", "--file-total-size=256M", "--file-num=4", "--file-io-mode=async", "--file-async-backlog=128",
         "--file-extra-flags=direct", "--file-test-mode=rndrw", *ends, "run"], environment, files.for_sysbench(), seconds)
    if "FATAL" in text:
        raise Failed("sysbench: FATAL")
    rates = [float(value) for value in re.findall(r"(?:reads|writes)/s: +([\d.]+)", text)]
    events = re.search(r"total number of events: +(\d+)", text)
    return {"operations": int(events.group(1)), "rate": sum(rates), "cpu_total": cpu, "p50": None, "p99": None}


class Side:
    """One side of a cell: the system's own, or ours."""

    def __init__(self, name, cell, environment, engine, files, programs):
        self.name, self.cell, self.environment, self.engine = name, cell, environment, engine
        self.files, self.programs = files, programs
        self.start_up = None
        self.runs = []

    def learn_start_up(self):
        """Processor time that goes into starting and stopping: measured with next to no requests, then left out."""
        if self.cell.kind == "program":
            self.start_up = 0.0
            return
        runs = [self.once(1, requests=16)["cpu_total"] for _ in range(2)]
        self.start_up = min(runs)

    def once(self, seconds, requests=None):
        if self.cell.kind == "fio":
            return fio(self.cell, self.engine, self.environment, self.files, seconds, requests)
        return sysbench(self.environment, self.files, seconds, requests)

    def run(self, _turn, seconds):
        if self.start_up is None:
            self.learn_start_up()
        self.files.settle(self.cell)
        if self.cell.kind == "program":
            program, *arguments = self.cell.arguments
            text, _ = execute([os.path.join(self.programs, program), self.files.path("disk"), str(seconds), *arguments],
                              self.environment, self.files.directory, seconds)
            result = json.loads(text)
        else:
            result = self.once(seconds)
            cost = max(result["cpu_total"] - self.start_up, 0)
            result["cpu"] = cost * 1e6 / max(result["operations"], 1)
        if not result["rate"]:
            raise Failed("nothing was done")
        self.runs.append({key: result[key] for key in ("rate", "cpu", "p50", "p99")})


class Reach:
    """What a program that is written for it gets of this machine: fio's own engines, at the same work."""

    name = "reach"

    def __init__(self, cell, files):
        self.cell, self.files = replace(cell, kind="fio", arguments=cell.job or cell.arguments), files
        self.engines = cell.reach
        self.engine = None  # the fastest
        self.rates = {}  # by round

    def run(self, turn, seconds):
        rates = {}
        for engine in self.engines:
            self.files.settle(self.cell)
            try:
                rates[engine] = fio(self.cell, engine, {}, self.files, seconds)["rate"]
            except Failed:
                continue  # not to be had here, as io_uring in many a container
        self.engine = max(rates, key=rates.get, default=self.engine)
        # From here on that alone.
        self.engines = (self.engine,) if rates else ()
        if rates:
            self.rates[turn] = rates[self.engine]
