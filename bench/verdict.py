"""What the rounds of a cell come to: medians, the interval of the ratio, and whether its floors are reached."""

import math
import statistics

LIMIT = 0.97  # this share of the best of all other ways counts as all that can be had
CONFIDENCE = 0.93  # of the interval; five rounds give 0.94, from the lowest to the highest


def median(values):
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def interval(values):
    """Where the median of very many rounds would lie: order statistics, which assume nothing of the noise."""
    ordered, count = sorted(values), len(values)
    outside, cut = 0.0, 0  # values that are cut off at each end
    while True:
        outside += 2 * math.comb(count, cut) / 2**count
        if 1 - outside < CONFIDENCE or 2 * (cut + 1) >= count:
            break
        cut += 1
    cut = max(cut - 1, 0)
    return ordered[cut], ordered[count - 1 - cut]


def ratios_of(ours, peer):
    return [b["rate"] / a["rate"] for a, b in zip(peer.runs, ours.runs)]


def is_undecided(cell, ours, peer):
    low, high = interval(ratios_of(ours, peer))
    return low < cell.floor <= high


def figures(side):
    result = {key: median([run[key] for run in side.runs]) for key in ("rate", "cpu", "p50", "p99")}
    result["runs"] = side.runs
    return result


def against(ours, rates):
    """Ours by one other way, round by round."""
    return median([ours.runs[turn]["rate"] / rate for turn, rate in rates.items() if turn < len(ours.runs)])


def summary(cell, peer, ours, other, references):
    ratios = ratios_of(ours, peer)
    low, high = interval(ratios)
    result = {"cell": cell.name, "place": cell.place, "face": cell.face, "key": cell.key, "title": cell.title,
              "floor": cell.floor, "ratio": median(ratios), "low": low, "high": high, "ratios": ratios,
              "rounds": len(ratios), "cpu_ceiling": cell.cpu_ceiling, "io_uring_floor": cell.io_uring_floor,
              "peer": figures(peer), "ours": figures(ours), "other": None, "best": None}
    result["cpu_ratio"] = result["ours"]["cpu"] / result["peer"]["cpu"] if result["peer"]["cpu"] else None
    if other:
        before = ratios_of(ours, other)
        low, high = interval(before)
        result["other"] = {**figures(other), "ratio": median(before), "low": low, "high": high}
    result["references"] = {engine: median(rates.values()) for engine, rates in references.rates.items()}
    if references.rates:
        best = references.best()
        result["best"] = {"engine": best, "rate": result["references"][best], "ratio": against(ours, references.rates[best])}
    io_uring = references.rates.get("io_uring")
    result["to_io_uring"] = against(ours, io_uring) if io_uring else None
    result["misses"], result["verdict"] = judge(result)
    return result


def judge(result):
    """What was missed, in words; and "good", "limit" (below the floor, as is every other way) or "below"."""
    misses, verdict = [], "good"
    if result["ratio"] < result["floor"]:
        misses.append(f"{result['ratio']:.2f} of the original, floor {result['floor']:.2f}")
        reached = result["best"] and min(result["best"]["ratio"], result["ratio"]) >= LIMIT
        verdict = "limit" if reached else "below"
    if result["cpu_ceiling"] and result["cpu_ratio"] and result["cpu_ratio"] > result["cpu_ceiling"]:
        misses.append(f"{result['cpu_ratio']:.2f} times the processor time, limit {result['cpu_ceiling']:.2f}")
        verdict = "below"
    if result["io_uring_floor"] and result["to_io_uring"] and result["to_io_uring"] < result["io_uring_floor"]:
        misses.append(f"{result['to_io_uring']:.2f} of fio's io_uring, floor {result['io_uring_floor']:.2f}")
        verdict = "below"
    return misses, verdict
