"""Draws the results as an SVG: for each interface a table of devices and patterns, then what programs do on the disk.

Each field holds a ratio and is coloured by it. The picture is narrow, so that it can be read on a phone; it is legible on light
and on dark.
"""

import math
from xml.sax.saxutils import escape

WIDTH, SCALE = 470, 1.3  # of the drawing; and how much larger it is shown where there is room
MARGIN, LABEL = 10, 100
COLUMN, ROW, GAP = 50, 30, 3
PROGRAM_LABEL, PROGRAM_ROW = 246, 40
PAIR, PAIR_FIELD = 232, 178  # two patterns in a line: the second's x, and where a field begins
LINE = 17  # of the text below

STYLE = """
text { font-family: system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; font-size: 14px; fill: #1f2328 }
.title { font-size: 17px; font-weight: 600 }
.panel { font-size: 15px; font-weight: 600 }
.muted { fill: #59636e; font-size: 12.5px }
.number { font-variant-numeric: tabular-nums; font-weight: 600; text-anchor: middle }
.group { stroke: #d1d9e0; stroke-width: 1.5 }
.s0 { fill: #d9730d } .s1 { fill: #fbd5b0 } .s2 { fill: #e7eaed } .s3 { fill: #c5e9e4 } .s4 { fill: #6cc5ba } .s5 { fill: #0b7a70 }
.n0, .n5 { fill: #ffffff } .n1, .n2, .n3, .n4 { fill: #1f2328 }
.below { stroke: #a3330a; stroke-width: 2.5 }
.limit { stroke: #59636e; stroke-width: 2; stroke-dasharray: 4 2 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .muted { fill: #9198a1 }
  .group { stroke: #3d444d }
  .s0 { fill: #c4620a } .s1 { fill: #5c3a17 } .s2 { fill: #2d333b } .s3 { fill: #14403c } .s4 { fill: #17776c } .s5 { fill: #35c3b3 }
  .n0, .n1, .n2, .n3, .n4 { fill: #f0f6fc } .n5 { fill: #04211e }
  .below { stroke: #ff9a5c }
  .limit { stroke: #9198a1 }
}
"""

SHADES = (0.8, 0.97, 1.05, 1.5, 3)  # from one shade to the next
FACES = (("posix", "POSIX AIO", "1 is glibc"), ("libaio", "libaio", "1 is the kernel's AIO"))
COLUMNS = ("direct-read-1", "direct-read-32", "direct-write-1", "direct-write-32", "cold-read-32", "cached-read-32",
           "buffered-write-32")
GROUPS = (("direct read", ("1", "32")), ("direct write", ("1", "32")), ("buffered", ("cold", "cached", "write")))
SHORT = {"xfs": "XFS, loop", "btrfs": "btrfs, loop", "overlay": "overlayfs", "fuse": "FUSE", "fuse-strict": "FUSE, strict",
         "zram-ext4": "ext4, zram", "zram": "raw zram", "tmpfs": "tmpfs"}
PROGRAMS = {
    "posix": (
        ("page cache, depth 1", "read · write", ("cached-read-1", "buffered-write-1")),
        ("aio_suspend", "list of 1 · 16", ("suspend-1", "suspend-16")),
        ("calls of 16", "lio_listio, depth 32", ("direct-read-batch",)),
        ("sequential, 128 KiB", "direct read, depth 8", ("sequential",)),
        ("write and fsync", "fsync every 16", ("fsync",)),
        ("8 processes", "depth 4 each", ("processes",)),
    ),
    "libaio": (
        ("QEMU, native", "depth 1 · 4 · 16 · 64", ("qemu-1", "qemu-4", "qemu-16", "qemu-64")),
        ("ring polled in memory", "depth 1 · 4 · 32", ("poll-1", "poll-4", "poll-32")),
        ("the same on one CPU", "depth 1 · 4 · 32", ("poll-one-cpu-1", "poll-one-cpu-4", "poll-one-cpu-32")),
        ("eventfd and epoll", "depth 1 · 32", ("epoll-1", "epoll-32")),
        ("threads reap one context", "2 · 8 threads", ("reapers-2", "reapers-8")),
        ("page cache, depth 1", "read · write", ("cached-read-1", "buffered-write-1")),
        ("database pattern", "1 · 8 · 32 threads", ("database-1", "database-8", "database-32")),
        ("calls of 16", "depth 32", ("direct-read-batch",)),
        ("sequential, 128 KiB", "direct read, depth 8", ("sequential",)),
        ("write and fsync", "fsync every 16", ("fsync",)),
        ("8 processes", "depth 4 each", ("processes",)),
        ("sysbench", "direct read and write", ("sysbench",)),
    ),
}


def number(ratio):
    if ratio < 9.95:
        return f"{ratio:.2f}"
    return f"{ratio:.1f}" if ratio < 99.5 else f"{ratio:.0f}"


def text(x, y, words, kind="", anchor=""):
    kind = f' class="{kind}"' if kind else ""
    anchor = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text{kind} x="{x:g}" y="{y:g}"{anchor}>{escape(words)}</text>'


def chip(x, y, width, height, shade, verdict="", words=""):
    mark = "" if verdict in ("", "good") else f" {verdict}"
    return (f'<rect class="s{shade}{mark}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="4"/>'
            + (f'<text class="number n{shade}" x="{x + width / 2:g}" y="{y + height / 2 + 5:g}">{words}</text>' if words else ""))


def field(cell, x, y, height):
    shade = sum(math.floor(cell["ratio"] * 100 + 0.5) / 100 >= limit for limit in SHADES)
    return chip(x + GAP, y + GAP, COLUMN - 2 * GAP, height - 2 * GAP, shade, cell["verdict"], number(cell["ratio"]))


def devices(cells, face, places, disk, y):
    """The table of one interface: a row for each device."""
    parts, left = [], MARGIN + LABEL
    at = left
    for group, names in GROUPS:
        width = len(names) * COLUMN
        parts.append(text(at + width / 2, y + 12, group, "muted", "middle"))
        parts.append(f'<path class="group" d="M{at + 4:g} {y + 18:g}H{at + width - 4:g}"/>')
        for index, name in enumerate(names):
            parts.append(text(at + (index + 0.5) * COLUMN, y + 33, name, "muted", "middle"))
        at += width
    y += 38
    for place in places:
        row = [(column, cells[name]) for column, name in enumerate(f"{place}/{face}/{key}" for key in COLUMNS) if name in cells]
        if not row:
            continue
        parts.append(text(MARGIN, y + ROW / 2 + 5, SHORT.get(place, disk)))
        parts += [field(cell, left + column * COLUMN, y, ROW) for column, cell in row]
        y += ROW
    return parts, y


def programs(cells, face, y):
    """What programs do: a field for each depth or number of threads. Two patterns with one field share a line."""
    parts, half = [], 0  # the x of the second pattern of a line, or 0 at the beginning of one
    rows = []
    for title, detail, keys in PROGRAMS[face]:
        row = [(column, cells[name]) for column, name in enumerate(f"disk/{face}/{key}" for key in keys) if name in cells]
        if row:
            rows.append((len(keys) == 1, title, detail, row))
    rows.sort(key=lambda row: row[0])
    for single, title, detail, row in rows:
        x, fields = (MARGIN + half, half + PAIR_FIELD) if single else (MARGIN, PROGRAM_LABEL)
        parts += [text(x, y + 17, title), text(x, y + 33, detail, "muted")]
        parts += [field(cell, fields + column * COLUMN, y + 4, ROW) for column, cell in row]
        half = PAIR if single and not half else 0
        y += 0 if half else PROGRAM_ROW
    return parts, y + (PROGRAM_ROW if half else 0)


def legend(y):
    parts, x = [], MARGIN
    names = ("< 0.8", "0.8", "0.97", "1.05", "1.5", "≥ 3")
    for shade, name in enumerate(names):
        parts += [chip(x, y, 26, 14, shade), text(x + 31, y + 12, name, "muted")]
        x += 76
    y += 14 + 18
    parts += [chip(MARGIN, y - 11, 26, 14, 2, "below"), text(MARGIN + 34, y, "below the floor that the project sets itself", "muted")]
    y += LINE + 4
    parts += [chip(MARGIN, y - 11, 26, 14, 2, "limit"),
              text(MARGIN + 34, y, "below it, as every other way here is: the machine's limit", "muted")]
    return parts, y + 14


def draw(results):
    host = results["machine"]
    cells = {cell["cell"]: cell for cell in results["cells"]}
    places = list(dict.fromkeys(cell["place"] for cell in results["cells"]))
    parts, y = [], 26
    parts.append(text(MARGIN, y, "Times as fast as the original", "title"))
    for line in ("Operations per second with uringaio, by those without it",
                 f"{host['processor']}, {host['cpus']} CPUs, Linux {host['kernel']}, {host['libc']}",
                 "4 KiB at random places, 1 or 32 in flight, medians"):
        y += LINE + 2
        parts.append(text(MARGIN, y, line, "muted"))
    y += 14
    more, y = legend(y)
    parts += more
    for face, title, peer in FACES:
        tables, below = devices(cells, face, places, host["file_system"], y + 32)
        if below > y + 32 + 38:
            parts += [text(MARGIN, y + 20, f"{title}, by device", "panel"), text(WIDTH - MARGIN, y + 20, peer, "muted", "end")]
            parts += tables
            y = below + 14
    for face, title, peer in FACES:
        rows, below = programs(cells, face, y + 30)
        if rows:
            parts += [text(MARGIN, y + 20, f"{title}, by pattern, on {host['file_system']}", "panel"),
                      text(WIDTH - MARGIN, y + 20, peer, "muted", "end")]
            parts += rows
            y = below + 14
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH * SCALE:.0f}" height="{y * SCALE:.0f}" '
        f'viewBox="0 0 {WIDTH} {y}" role="img" aria-label="Operations per second on uringaio as a multiple of the original, '
        'by device and pattern">',
        f"<style>{STYLE}</style>", *parts, "</svg>", ""])
