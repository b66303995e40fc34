"""The results as text: rows on the terminal, and the tables of docs/benchmarks.md."""

MARKS = {"good": " ", "limit": "=", "below": "<"}
WAYS = {"io_uring": "io_uring", "psync": "plain calls", "libaio": "kernel's AIO"}


def time_text(microseconds):
    if not microseconds:
        return "–"
    if microseconds >= 10000:
        return f"{microseconds / 1000:.0f} ms"
    if microseconds >= 1000:
        return f"{microseconds / 1000:.1f} ms"
    return f"{microseconds:.0f} µs" if microseconds >= 10 else f"{microseconds:.1f} µs"


def rate_text(value):
    return f"{value:,.0f}" if value < 10e6 else f"{value / 1e6:,.0f} M"


def cpu_text(value):
    return f"{value:.1f}" if value >= 0.95 else f"{value:.2f}"


def about(results):
    host = results["machine"]
    return (f"{host['processor']}, {host['cpus']} CPUs; Linux {host['kernel']}; {host['file_system']}; {host['libc']}; "
            f"{results['rounds']} rounds of {results['seconds_each']:g} s on each side in turns, medians")


def head(place, with_other):
    other = f"{'other /s':>10}{'to other':>9}" if with_other else ""
    return (f"\n{place}\n{'cell':<34}{'original':>10}{'ours /s':>10}{'ratio':>7}  {'interval':<13}{'floor':>5}{other}"
            f"  {'CPU µs/op':>13}  {'p99':>17}  other ways /s")


def ways(result, names=WAYS):
    return ", ".join(f"{names[engine]} {rate_text(rate)}" for engine, rate in result["references"].items())


def row(result):
    peer, ours = result["peer"], result["ours"]
    other = ""
    if result["other"]:
        other = f"{rate_text(result['other']['rate']):>10}{result['other']['ratio']:>9.2f}"
    spread = f"{result['low']:.2f} – {result['high']:.2f}"
    cpu_over = result["cpu_ceiling"] and result["cpu_ratio"] and result["cpu_ratio"] > result["cpu_ceiling"]
    return (f"{result['cell']:<34}{rate_text(peer['rate']):>10}{rate_text(ours['rate']):>10}{result['ratio']:>7.2f}"
            f"{MARKS[result['verdict']]} {spread:<13}{result['floor']:>5.2f}{other}  {cpu_text(peer['cpu']):>6}"
            f" {cpu_text(ours['cpu']):>6}{'>' if cpu_over else ' '} {time_text(peer['p99']):>8} {time_text(ours['p99']):>8}"
            f"  {ways(result)}")


def end(results, broken, skipped):
    """Every cell below 1.0, every floor that was missed, everything that did not run."""
    lines = [""]
    reasons = {}
    for name, reason in skipped:
        reasons.setdefault(reason, []).append(name)
    lines += [f"not run: {', '.join(names)}: {reason}" for reason, names in reasons.items()]
    below_one = sorted((result for result in results if result["ratio"] < 1), key=lambda result: result["ratio"])
    if below_one:
        lines.append("below 1.0: " + ", ".join(f"{result['cell']} {result['ratio']:.2f}" for result in below_one))
    for result in results:
        if result["verdict"] == "limit":
            lines.append(f"at the limit: {result['cell']}: {'; '.join(result['misses'])}; "
                         f"{result['best']['ratio']:.2f} of {WAYS[result['best']['engine']]}, the fastest other way")
    for result in results:
        if result["verdict"] == "below":
            lines.append(f"FLOOR MISSED: {result['cell']}: {'; '.join(result['misses'])}")
    lines += [f"FAILED: {name}: {reason}" for name, reason in broken]
    good = sum(result["verdict"] != "below" for result in results)
    lines.append(f"{good} of {len(results) + len(broken)} cells reach their floors or the limit of the machine")
    return "\n".join(lines)
