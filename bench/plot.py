"""Draws the matrix as an SVG: one row for each cell, its ratio on a logarithmic axis. Legible on light and on dark."""

import math
from xml.sax.saxutils import escape

WIDTH, LABEL, RIGHT, ROW = 960, 330, 190, 25
AXIS_LEFT, AXIS_RIGHT = LABEL + 16, WIDTH - RIGHT - 56

STYLE = """
text { font-family: system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; font-size: 12.5px; fill: #1f2328 }
.title { font-size: 18px; font-weight: 600 }
.panel { font-size: 14px; font-weight: 600 }
.muted { fill: #59636e; font-size: 11.5px }
.number { font-weight: 600; font-variant-numeric: tabular-nums }
.cpu { font-variant-numeric: tabular-nums; fill: #59636e }
.grid { stroke: #d1d9e0; stroke-width: 1 }
.parity { stroke: #59636e; stroke-width: 1.5 }
.bar { fill: #0f9488 }
.bar-below { fill: #d9730d }
.spread { stroke: #0b5f58; stroke-width: 1.5; opacity: .7 }
.spread-below { stroke: #8a4708; stroke-width: 1.5; opacity: .7 }
.floor { fill: none; stroke: #59636e; stroke-width: 1.5 }
.reach { fill: none; stroke: #8250df; stroke-width: 1.5; stroke-dasharray: 3 2 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .muted, .cpu { fill: #9198a1 }
  .grid { stroke: #30363d }
  .parity, .floor { stroke: #9198a1 }
  .reach { stroke: #ab7df8 }
  .bar { fill: #2bb3a4 }
  .bar-below { fill: #f0883e }
  .spread { stroke: #a5f3e8 }
  .spread-below { stroke: #fcd9b6 }
}
"""

PANELS = (("posix", "POSIX AIO", "1× is glibc"), ("libaio", "libaio", "1× is the kernel's own AIO"))


def number(value):
    return f"{value:.2f}" if value < 9.95 else f"{value:.1f}"


def microseconds(value):
    return f"{value:.1f}" if value < 99.5 else f"{value:.0f}"


def reached(cell):
    """How many times as fast as the peer the best would be that can be reached, if that was looked for."""
    return [cell["ratio"] / cell["reach"]["ratio"]] if cell["reach"] else []


class Axis:
    """Maps ratios to x; covers every median, floor and reach, a spread that goes beyond is cut."""

    def __init__(self, cells):
        values = [1, 0.75] + [value for cell in cells for value in (cell["ratio"], cell["floor"], *reached(cell))]
        self.low = math.log2(min(values)) - 0.12
        self.high = max(math.log2(max(values)) + 0.12, 1.1)

    def x(self, ratio):
        share = (math.log2(ratio) - self.low) / (self.high - self.low)
        return AXIS_LEFT + min(max(share, 0), 1) * (AXIS_RIGHT - AXIS_LEFT)

    def ticks(self):
        return [2.0**power for power in range(math.ceil(self.low), math.floor(self.high) + 1)]


def row(cell, axis, y):
    ratio, below = cell["ratio"], cell["verdict"] == "below"
    suffix = "-below" if below else ""
    one, end = axis.x(1), axis.x(ratio)
    low, high = axis.x(min(cell["ratios"])), axis.x(max(cell["ratios"]))
    left, width = min(one, end), max(abs(end - one), 2)
    middle = y + ROW / 2
    floor = axis.x(cell["floor"])
    reach = [axis.x(value) for value in reached(cell)]
    number_at = max(end, high, one, floor, *reach) + 8
    peer, ours = microseconds(cell["peer"]["cpu"]), microseconds(cell["ours"]["cpu"])
    return [
        f'<text x="{LABEL}" y="{middle + 4:.1f}" text-anchor="end">{escape(cell["title"])}</text>',
        f'<rect class="bar{suffix}" x="{left:.1f}" y="{middle - 6:.1f}" width="{width:.1f}" height="12" rx="2"/>',
        f'<path class="spread{suffix}" d="M{low:.1f} {middle:.1f}H{high:.1f}"/>',
        f'<path class="floor" d="M{floor:.1f} {middle - 9:.1f}V{middle + 9:.1f}"/>',
        *(f'<path class="reach" d="M{x:.1f} {middle - 9:.1f}V{middle + 9:.1f}"/>' for x in reach),
        f'<text class="number" x="{number_at:.1f}" y="{middle + 4:.1f}">{number(ratio)}×</text>',
        f'<text class="cpu" x="{WIDTH - 112}" y="{middle + 4:.1f}" text-anchor="end">{peer}</text>',
        f'<text class="cpu" x="{WIDTH - 100}" y="{middle + 4:.1f}">→</text>',
        f'<text class="number" x="{WIDTH - 24}" y="{middle + 4:.1f}" text-anchor="end">{ours}</text>',
    ]


def panel(cells, title, peer, y):
    axis = Axis(cells)
    parts = [f'<text class="panel" x="24" y="{y + 16}">{title}</text>']
    parts.append(f'<text class="muted" x="{LABEL}" y="{y + 16}" text-anchor="end">{peer}</text>')
    parts.append(f'<text class="muted" x="{WIDTH - 24}" y="{y + 16}" text-anchor="end">CPU µs per operation</text>')
    top = y + 26
    bottom = top + len(cells) * ROW
    for tick in axis.ticks():
        x = axis.x(tick)
        label = f"{tick:g}×"
        parts.append(f'<path class="{"parity" if tick == 1 else "grid"}" d="M{x:.1f} {top}V{bottom}"/>')
        parts.append(f'<text class="muted" x="{x:.1f}" y="{top - 8}" text-anchor="middle">{label}</text>')
    for index, cell in enumerate(cells):
        parts += row(cell, axis, top + index * ROW)
    return parts, bottom + 26


def draw(results):
    parts, y = [], 84
    for face, title, peer in PANELS:
        cells = [cell for cell in results["cells"] if cell["face"] == face]
        if cells:
            more, y = panel(cells, title, peer, y)
            parts += more
    host = results["machine"]
    below = any(cell["verdict"] == "below" for cell in results["cells"])
    legend = [
        f'<rect class="bar" x="24" y="{y - 9}" width="22" height="10" rx="2"/>',
        f'<text class="muted" x="52" y="{y}">median of {results["rounds"]} rounds</text>',
        f'<path class="spread" d="M180 {y - 4}H202"/><text class="muted" x="208" y="{y}">lowest and highest round</text>',
        f'<path class="floor" d="M372 {y - 11}V{y + 2}"/><text class="muted" x="380" y="{y}">floor that the project sets itself</text>',
    ]
    if any(cell["reach"] for cell in results["cells"]):
        legend.append(f'<path class="reach" d="M578 {y - 11}V{y + 2}"/>'
                      f'<text class="muted" x="586" y="{y}">fio by its own engines</text>')
    if below:
        legend.append(f'<rect class="bar-below" x="736" y="{y - 9}" width="22" height="10" rx="2"/>'
                      f'<text class="muted" x="764" y="{y}">below its floor and reach</text>')
    height = y + 18
    about = (f"{host['processor']}, {host['cpus']} CPUs · Linux {host['kernel']} · {host['file_system']} · "
             f"{results['rounds']} rounds of {results['seconds_each']} s on each side in turns")
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-label="Operations per second on uringaio as a multiple of the system\'s own AIO, cell by cell">',
        f"<style>{STYLE}</style>",
        '<text class="title" x="24" y="34">Operations per second, as a multiple of the system\'s own AIO</text>',
        f'<text class="muted" x="24" y="56">{escape(about)}</text>',
        *parts, *legend, "</svg>", ""])
