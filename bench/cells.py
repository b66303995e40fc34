"""The cells of the matrix: what each of them runs, on which device, by which interface."""

import os
import re
import tomllib
from dataclasses import dataclass, field

MIB = 1 << 20
SMALL = 64 * MIB  # the part of the file that cells with everything in the page cache work on

RANDOM_READ = ["--rw=randread", "--bs=4k", "--direct=1"]
RANDOM_WRITE = ["--rw=randwrite", "--bs=4k", "--direct=1"]
REPEAT = ["--norandommap=1"]  # blocks may be read again: no map of blocks to keep. Not where the second read is cached.
BATCHES = ["--iodepth=32", "--iodepth_batch=16", "--iodepth_batch_complete_min=16"]
CACHED = ["--invalidate=0", f"--size={SMALL}"]
POLL = ["--userspace_reap", "--iodepth_batch_complete_min=0"]


@dataclass
class Cell:
    """One pattern on one device by one interface."""

    place: str  # the device, a key of places.PLACES
    face: str  # the interface: "posix" or "libaio"
    key: str  # the pattern
    title: str
    kind: str  # what drives it: "fio", "program" (a C program of this folder), "qemu" or "sysbench"
    arguments: list = field(default_factory=list)
    cached: bool = False  # the first SMALL bytes are read before each run
    references: tuple = ()  # engines of fio that do the same work, for comparison
    job: list = field(default_factory=list)  # the same work as arguments of fio, where kind is not "fio"
    floor: float = 0
    cpu_ceiling: float | None = None
    io_uring_floor: float | None = None

    @property
    def name(self):
        return f"{self.place}/{self.face}/{self.key}"


def device_cells(place):
    """The patterns that every device has, in the order of the plot's columns."""
    immediate = place in ("zram", "zram-ext4", "tmpfs")  # a plain call is a way to do it at every depth
    cells = []

    def add(face, key, title, kind, arguments, depth, job=None, cached=False):
        others = ("io_uring",) if face == "libaio" else ("io_uring", "libaio")
        psync = ("psync",) if immediate or cached or depth == 1 else ()
        cells.append(Cell(place, face, key, title, kind, arguments, cached, others + psync, job or []))

    for face in ("posix", "libaio"):
        for depth in (1, 32):
            for word, load in (("read", RANDOM_READ), ("write", RANDOM_WRITE)):
                if place == "tmpfs":
                    continue  # memory: there is nothing that O_DIRECT could pass by
                job = load + REPEAT + [f"--iodepth={depth}"]
                title = f"O_DIRECT random {word}, depth {depth}"
                if face == "posix" and depth == 1:
                    # fio's engine adds waits of its own there.
                    program = ["posix", "{file}", "{seconds}", "1", "1"] + (["write"] if word == "write" else [])
                    add(face, f"direct-{word}-1", title, "program", program, 1, job)
                else:
                    add(face, f"direct-{word}-{depth}", title, "fio", job, depth)
        if place in ("disk", "zram"):
            title = "O_DIRECT random read, depth 32, 16 in a call"
            job = RANDOM_READ + REPEAT + BATCHES
            if face == "posix":
                add(face, "direct-read-batch", title, "program", ["posix", "{file}", "{seconds}", "32", "16"], 32, job)
            else:
                add(face, "direct-read-batch", title, "fio", job, 32)
        if place != "tmpfs":
            add(face, "cold-read-32", "buffered random read, not in the page cache, depth 32", "fio",
                ["--rw=randread", "--bs=4k", "--iodepth=32", "--invalidate=1"], 32)
        for depth in (1, 32) if place == "disk" else (32,):
            add(face, f"cached-read-{depth}", f"buffered random read, in the page cache, depth {depth}", "fio",
                ["--rw=randread", "--bs=4k", f"--iodepth={depth}", *REPEAT, *CACHED], depth, cached=True)
            add(face, f"buffered-write-{depth}", f"buffered random write, depth {depth}", "fio",
                ["--rw=randwrite", "--bs=4k", f"--iodepth={depth}", *REPEAT, *CACHED], depth, cached=True)
    return cells


def program_cells():
    """What programs do, on the disk alone."""
    cells = []

    def add(face, key, title, kind, arguments, references=(), job=None):
        cells.append(Cell("disk", face, key, title, kind, arguments, references=references, job=job or []))

    for face in ("posix", "libaio"):
        others = ("io_uring",) if face == "libaio" else ("io_uring", "libaio")
        add(face, "sequential", "O_DIRECT sequential read 128 KiB, depth 8", "fio",
            ["--rw=read", "--bs=128k", "--direct=1", "--iodepth=8"], others)
        add(face, "fsync", "O_DIRECT write, fsync every 16, depth 16", "fio",
            RANDOM_WRITE + REPEAT + ["--iodepth=16", "--fsync=16"], others)
        add(face, "processes", "8 processes, O_DIRECT read, depth 4 each", "fio",
            RANDOM_READ + REPEAT + ["--iodepth=4", "--numjobs=8"], others)
    for entries in (1, 16):
        add("posix", f"suspend-{entries}", f"aio_suspend, list of {entries}, the last has ended", "program",
            ["growth", "suspend", str(entries), "{seconds}"])
    for depth in (1, 4, 16, 64):
        add("libaio", f"qemu-{depth}", f"qemu-img bench -t none -i native, depth {depth}", "qemu", ["-d", str(depth)],
            ("io_uring",))
    for depth in (1, 4, 32):
        job = RANDOM_READ + REPEAT + [f"--iodepth={depth}"]
        add("libaio", f"poll-{depth}", f"the ring polled in memory, depth {depth}", "fio", job + POLL, ("io_uring",), job)
    for depth in (1, 4, 32):
        job = RANDOM_READ + REPEAT + [f"--iodepth={depth}", "--cpus_allowed=0"]
        add("libaio", f"poll-one-cpu-{depth}", f"the ring polled in memory on one CPU, depth {depth}", "fio", job + POLL,
            ("io_uring",), job)
    for depth in (1, 32):
        add("libaio", f"epoll-{depth}", f"eventfd and epoll, depth {depth}", "program",
            ["epoll", "{file}", "{seconds}", str(depth)], ("io_uring",), RANDOM_READ + REPEAT + [f"--iodepth={depth}"])
    for threads in (2, 8):
        add("libaio", f"reapers-{threads}", f"{threads} threads reap one context, depth 32", "program",
            ["reapers", "{file}", "{seconds}", "32", str(threads)], ("io_uring",), RANDOM_READ + REPEAT + ["--iodepth=32"])
    for threads in (1, 8, 32):
        plural = "s" if threads > 1 else ""
        add("libaio", f"database-{threads}", f"database pattern, {threads} thread{plural}", "program",
            ["database", "{file}", "{seconds}", str(threads)])
    add("libaio", "sysbench", "sysbench fileio, O_DIRECT read and write", "sysbench", [])
    return cells


# A minute's worth of cells: those that have told of a fault first.
SMOKE = (
    "disk/posix/direct-read-32", "disk/posix/cached-read-32", "disk/libaio/direct-read-1", "disk/libaio/cold-read-32",
    "disk/libaio/poll-4", "disk/libaio/epoll-1", "disk/libaio/database-8", "fuse/libaio/direct-read-32",
    "fuse-strict/posix/direct-read-1", "zram/libaio/direct-read-1", "zram/posix/direct-read-32",
)


class Floors:
    """What floors.toml says of a cell."""

    def __init__(self):
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "floors.toml"), "rb") as file:
            self.tables = tomllib.load(file)

    def of(self, table, name):
        found = None
        for pattern, value in self.tables[table].items():
            if re.fullmatch(pattern, name):
                found = value
        return found


def all_cells(places):
    cells = []
    for place in places:
        cells += device_cells(place)
        if place == "disk":
            cells = sorted(cells + program_cells(), key=lambda cell: cell.face, reverse=True)
    floors = Floors()
    for cell in cells:
        cell.floor = floors.of("rate", cell.name)
        cell.cpu_ceiling = floors.of("cpu", cell.name)
        cell.io_uring_floor = floors.of("io_uring", cell.name)
    return cells
