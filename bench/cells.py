"""The cells of the matrix: what each runs, on which face, and the ratio it must not fall below."""

from dataclasses import dataclass, field

MIB = 1 << 20
SMALL = 64 * MIB  # what the cells read and write that want everything cached


@dataclass
class Cell:
    name: str  # unique, what CELLS= is matched against
    face: str  # "posix" or "libaio"
    title: str  # as the plot shows it
    floor: float  # ours / peer
    kind: str  # "fio", "program" or "sysbench"
    arguments: list = field(default_factory=list)
    before: str = ""  # "cached": read the first SMALL bytes beforehand
    where: str = "disk"  # or "memory": a file on tmpfs
    cpu_ceiling: float = 0  # ours / peer, 0 for none
    peer_engine: str = ""  # another fio engine than the face's own as the peer
    reach: tuple = ()  # fio engines, the best of which is what can be reached here at all
    job: list = field(default_factory=list)  # for the reach of what is not fio: the same work as fio's arguments


RANDOM_READ = ["--rw=randread", "--bs=4k", "--direct=1"]
BATCHES = RANDOM_READ + ["--iodepth=32", "--iodepth_batch=16", "--iodepth_batch_complete_min=16"]

# title, key, floor for POSIX, floor for libaio (None: not there), fio arguments, more
FIO = [
    ("O_DIRECT random read, depth 1", "direct-read-1", None, 0.97, RANDOM_READ + ["--iodepth=1"], {"cpu_ceiling": 1.1}),
    ("O_DIRECT random read, depth 32", "direct-read-32", 7, 0.97, RANDOM_READ + ["--iodepth=32"], {"cpu_ceiling": 1.1}),
    ("O_DIRECT random read, depth 32, batches of 16", "direct-read-batch", None, 1.0, BATCHES, {"cpu_ceiling": 1.0}),
    ("O_DIRECT random write, depth 32", "direct-write-32", 5, 0.97,
     ["--rw=randwrite", "--bs=4k", "--direct=1", "--iodepth=32"], {}),
    ("O_DIRECT sequential read 128 KiB, depth 8", "sequential", 1.5, 0.97,
     ["--rw=read", "--bs=128k", "--direct=1", "--iodepth=8"], {}),
    ("buffered random read, not cached, depth 32", "cold-read-32", 4.5, 4.5,
     ["--rw=randread", "--bs=4k", "--iodepth=32", "--invalidate=1"], {}),
    ("buffered random read, cached, depth 1", "cached-read-1", 5, 1.1,
     ["--rw=randread", "--bs=4k", "--iodepth=1", "--invalidate=0", f"--size={SMALL}"], {"before": "cached"}),
    ("buffered random read, cached, depth 32", "cached-read-32", 5, 1.1,
     ["--rw=randread", "--bs=4k", "--iodepth=32", "--invalidate=0", f"--size={SMALL}"], {"before": "cached"}),
    ("buffered random write, depth 1", "buffered-write-1", 1.2, 0.95,
     ["--rw=randwrite", "--bs=4k", "--iodepth=1", "--invalidate=0", f"--size={SMALL}"], {"before": "cached"}),
    ("buffered random write, depth 32", "buffered-write-32", 1.2, 0.95,
     ["--rw=randwrite", "--bs=4k", "--iodepth=32", "--invalidate=0", f"--size={SMALL}"], {"before": "cached"}),
    ("tmpfs random read, depth 32", "tmpfs-read", 2, 0.9,
     ["--rw=randread", "--bs=4k", "--iodepth=32", "--invalidate=0"], {"where": "memory"}),
    ("tmpfs random write, depth 32", "tmpfs-write", 2, 0.9,
     ["--rw=randwrite", "--bs=4k", "--iodepth=32", "--invalidate=0"], {"where": "memory"}),
    ("write, fsync every 16, depth 16", "fsync", 1.5, 0.97,
     ["--rw=randwrite", "--bs=4k", "--direct=1", "--iodepth=16", "--fsync=16"], {}),
    ("8 processes, depth 4 each, O_DIRECT", "processes", 2, 0.95,
     RANDOM_READ + ["--iodepth=4", "--numjobs=8"], {}),
]


def all_cells():
    cells = [
        Cell("posix/direct-read-1", "posix", "O_DIRECT random read, depth 1", 1.05, "program", ["posix", "1", "1"],
             reach=("io_uring",), job=RANDOM_READ + ["--iodepth=1"]),
        Cell("posix/direct-read-batch", "posix", "O_DIRECT random read, depth 32, lists of 16", 7, "program",
             ["posix", "32", "16"], reach=("io_uring",), job=BATCHES),
    ]
    for title, key, posix, libaio, arguments, more in FIO:
        # Where nothing has to be waited for, plain calls may be the fastest there is.
        in_memory = more.get("before") == "cached" or more.get("where") == "memory"
        more = {**more, "reach": ("io_uring", "psync") if in_memory else ("io_uring",)}
        if posix is not None:
            own = {name: value for name, value in more.items() if name != "cpu_ceiling"}
            cells.append(Cell(f"posix/{key}", "posix", title, posix, "fio", arguments, **own))
        if libaio is not None:
            cells.append(Cell(f"libaio/{key}", "libaio", title, libaio, "fio", arguments, **more))
    for threads, floor in ((1, 0.95), (8, 0.85), (32, 0.85)):
        plural = "s" if threads > 1 else ""
        cells.append(Cell(f"libaio/database-{threads}", "libaio", f"database pattern, {threads} thread{plural}", floor,
                          "program", ["database", str(threads)]))
    cells.append(Cell("libaio/sysbench", "libaio", "sysbench fileio, asynchronous, O_DIRECT", 0.97, "sysbench"))
    for face in ("posix", "libaio"):
        cells.append(Cell(f"{face}/against-io_uring", face, "against fio on io_uring, O_DIRECT, depth 32", 0.95,
                          "fio", RANDOM_READ + ["--iodepth=32"], peer_engine="io_uring"))
    order = [key for _, key, *_ in FIO]

    def place(cell):
        key = cell.name.split("/")[1]
        return cell.face != "posix", order.index(key) if key in order else len(order)

    return sorted(cells, key=place)
