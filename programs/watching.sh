#!/bin/bash
# `uringaio stat` and `uringaio top`: what they show of programs that run.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$TOP/programs/support/command.sh"
requires fio python3

# What stat shows of a running program, at two moments, is what grows and adds up.
stat() {
    built || return 1
    FIO=(--thread)
    fio_job "$1" "$URINGAIO" run --
    await quietly "$URINGAIO" stat --once "$JOB" || { cat fio.log; return 1; }
    status 0 "$URINGAIO" stat --once "$JOB" && grep -q "^process $JOB, uringaio .*totals since its first AIO call" out || return 1
    await sample "$JOB" "$1" || return 1
    as_schema stat out || return 1
    status 0 "$URINGAIO" doctor "$JOB" && told "Process $JOB runs on uringaio" 'operations so far' || return 1
    kill "$JOB"
}

# An interval in which the program got something done. Under load there may be one in which it did not.
sample() {
    status 0 "$URINGAIO" stat --json --interval 0.3 --count 2 "$1"
    python3 -c 'import json, os, subprocess, sys
device = os.stat("data").st_dev
number = f"{os.major(device)}:{os.minor(device)}"
has_row = subprocess.check_output(["stat", "-f", "-c", "%T", "data"], text=True).strip() in ("ext2/ext3", "xfs")
name = {"posixaio": "posix", "libaio": "libaio"}[sys.argv[1]]
lines = [json.loads(line) for line in open("out")]
assert len(lines) == 2
for line in lines:
    interface = line[name]
    assert not has_row or number in [device["number"] for device in line["devices"]], line
    assert interface["failed"] == 0 and interface["in_flight"] < 1000, line
    done = sum(interface["in_caller"].values()) + sum(interface["by_engine"].values())
    timed = line["latency"]["in_caller"]["timed"] + line["latency"]["by_engine"]["timed"]
    if not (done > 0 and timed > 0 and interface["submitted"] > 0 and line["bytes_read"] > 0): sys.exit(1)' "$2"
}

# Of requests that the kernel's own AIO carries, doctor and stat know the number.
carried_by_the_kernel() {
    built || return 1
    FIO=(--thread --direct=1)
    fio_job libaio "$URINGAIO" run --
    await quietly "$URINGAIO" stat --once "$JOB" || { cat fio.log; return 1; }
    status 0 "$URINGAIO" doctor "$JOB" && told "Process $JOB runs on uringaio" "by the kernel's own AIO" || return 1
    status 0 "$URINGAIO" stat --once "$JOB" && told "without those by the kernel's AIO, of which no more than the number is known"
    kill "$JOB"
}

# fio's jobs are children: of the parent, and of a shell before it, stat says which process works.
stat_names_the_one_that_works() {
    built || return 1
    FIO=()
    fio_job posixaio "$URINGAIO" run -- sh -c '"$@"; :' sh
    local child watcher
    await names_another "$JOB" || { cat fio.log; return 1; }
    child=$(sed -n 's/.*process \([0-9]*\), which it started, has.*/\1/p' err)
    status 0 "$URINGAIO" stat --once "$child" && grep -q "^process $child, uringaio " out || return 1
    [ "$(ps -o ppid= -p "$child" | tr -d ' ')" != "$JOB" ] || fail "no grandchild"
    # The counters end with the process, and so does the command.
    timeout "$LIMIT" "$URINGAIO" stat --interval 0.1 "$child" > out 2>&1 &
    watcher=$!
    await grep -q "^process $child, " out || return 1
    kill "$child" "$JOB"
    ended "$watcher"
}

names_another() {
    "$URINGAIO" stat --once "$1" 2> err
    grep -q 'process [0-9]*, which it started, has' err
}

# A program that times everything by itself goes on with that after it was watched.
stat_leaves_the_summary() {
    built || return 1
    local timed
    FIO=(--thread)
    fio_job posixaio "$URINGAIO" run --stats --
    await quietly "$URINGAIO" stat --once "$JOB" || return 1
    status 0 "$URINGAIO" stat --count 2 --interval 0.1 "$JOB" || return 1
    timed=$(timed "$JOB") && await more_than "$timed" "$JOB" || return 1
    kill "$JOB"
}

# What a monitor reads: valid, of one program and of all, with a name that needs escapes.
openmetrics() {
    built || return 1
    local odd first page=$TOP/programs/support/openmetrics.py dashboard=$TOP/share/monitoring/grafana-dashboard.json
    FIO=(--thread)
    ln -s "$(type -P fio)" 'f"i\o'
    PROGRAM='./f"i\o' fio_job libaio "$URINGAIO" run --
    odd=$JOB
    fio_job posixaio "$URINGAIO" run --
    await quietly "$URINGAIO" stat --once "$odd" && await quietly "$URINGAIO" stat --once "$JOB" || { cat fio.log; return 1; }
    status 0 "$URINGAIO" stat --openmetrics "$JOB" && python3 "$page" < out || return 1
    first=$(submitted "$JOB" < out)
    mkdir collector
    await has_grown "$first" || { cat fio.log; return 1; }
    python3 "$page" "$dashboard" < collector/uringaio.prom || return 1
    grep -q "^uringaio_process_info{pid=\"$JOB\",comm=\"fio\",version=" collector/uringaio.prom || return 1
    grep -qF "{pid=\"$odd\",comm=\"f\\\"i\\\\o\",version=" collector/uringaio.prom || return 1
    # The operations that an earlier page had timed.
    grep -Eq "^uringaio_latency_seconds_bucket\{pid=\"$JOB\".*,le=\"\+Inf\"\} [1-9]" collector/uringaio.prom || return 1
    [ "$(ls -A collector)" = uringaio.prom ] || return 1
    kill "$odd" "$JOB"
}

# Of a process whose files and variables have names that are no text, or that a terminal would obey.
odd_names() {
    built || return 1
    local folder=$'no text \xff, and red \e[31m'
    FIO=(--thread)
    mkdir "$folder" && cp "$(type -P fio)" "$folder/fio" || return 1
    PROGRAM=$folder/fio fio_job libaio env URINGAIO_ENGINE=$'red\e[31m' $'URINGAIO_RED\e[31m=1' "$URINGAIO" run --
    await quietly "$URINGAIO" stat --once "$JOB" || { cat fio.log; return 1; }
    status 0 "$URINGAIO" stat --once "$JOB" || return 1
    timeout "$LIMIT" "$URINGAIO" doctor "$JOB" > out 2> err
    told 'URINGAIO_RED?[31m' 'URINGAIO_ENGINE=red?[31m' || return 1
    status 127 "$URINGAIO" run $'./\e[31m' || return 1
    ! grep -q $'\e' out err || return 1
    kill "$JOB"
}

submitted() { # PID: of a page on standard input
    sed -n "s/^uringaio_submitted_operations_total{pid=\"$1\",.*interface=\"posix\"} //p"
}

# By the script for the textfile collector.
has_grown() {
    PATH=${URINGAIO%/*}:$PATH "$TOP/share/monitoring/uringaio-textfile" collector || fail "the script failed"
    [ "$(submitted "$JOB" < collector/uringaio.prom)" -gt "$1" ]
}

timed() {
    "$URINGAIO" stat --once --json "$1" | python3 -c 'import json, sys
print(sum(lane["timed"] for lane in json.load(sys.stdin)["latency"].values()))'
}

more_than() { [ "$(timed "$2")" -gt "$1" ]; }

# Both programs at work, as lines.
top_as_lines() {
    built || return 1
    local posix
    FIO=(--thread)
    fio_job posixaio "$URINGAIO" run --
    posix=$JOB
    fio_job libaio "$URINGAIO" run --
    await quietly "$URINGAIO" stat --once "$posix" && await quietly "$URINGAIO" stat --once "$JOB" || { cat fio.log; return 1; }
    await both_work "$posix" "$JOB" || { cat out; return 1; }
    status 0 "$URINGAIO" top -d 0.1 -n 2 --sort process && [ "$(grep -c '^ *PID PROGRAM' out)" = 2 ] || return 1
    awk '/PID/ { last = 0 } $1 + 0 > 0 && $2 == "fio" { if ($1 <= last) exit 1; last = $1 }' out || return 1
    kill "$posix" "$JOB"
}

# An interval in which both got something done. Under load there may be one in which one did not.
both_work() {
    status 0 "$URINGAIO" top --once -d 0.3 > /dev/null
    python3 -c 'import re, sys
lines = open("out", encoding="utf-8").read().splitlines()
titles = next(line for line in lines if line.lstrip().startswith("PID ")).replace(" %", "%").split()
def row(process):
    line = next((line for line in lines if line.split()[:2] == [process, "fio"]), None) or sys.exit(1)
    # A number and its unit are one word.
    return dict(zip(titles, re.sub(r"(\d) (ns|µs|ms|s)\b", r"\1\2", line).split()))
for process in sys.argv[1:]:
    shown = row(process)
    assert shown["ENGINE"] in ("io_uring", "threads", "system") and len(shown) == len(titles), shown
    if "0" in (shown["OPS/s"], shown["READ/s"]) or "-" in (shown["50%"], shown["99%"]): sys.exit(1)' "$@"
}

# On a terminal: it fits, follows its size, sorts by a key, and leaves the terminal as it was.
top_on_a_terminal() {
    built || return 1
    FIO=(--thread)
    fio_job posixaio "$URINGAIO" run --
    await quietly "$URINGAIO" stat --once "$JOB" || { cat fio.log; return 1; }
    timeout "$LIMIT" python3 "$TOP/programs/support/terminal.py" "$URINGAIO" top -d 0.1 || return 1
    kill "$JOB"
}

# The scripts for bpftrace, on a program: run where the kernel has such probes, otherwise compiled.
bpftrace_scripts() {
    built || return 1
    command -v bpftrace > /dev/null || skip "bpftrace is not installed"
    [ "$(id -u)" = 0 ] || skip "not root"
    local script dry=-d
    bpftrace --help 2>&1 | grep -q -e --dry-run && dry=--dry-run
    FIO=(--thread)
    fio_job posixaio "$URINGAIO" run --
    await quietly "$URINGAIO" stat --once "$JOB" || { cat fio.log; return 1; }
    for script in latency files slow; do
        script=$TOP/share/bpftrace/uringaio-$script.bt
        timeout "$LIMIT" bpftrace "$dry" -p "$JOB" "$script" > "out" 2>&1 || { cat out; return 1; }
        grep -q WARNING out && { cat out; return 1; }
    done
    if [ -e /sys/kernel/tracing/uprobe_events ]; then
        # Ended when it has shown one.
        timeout "$LIMIT" bpftrace -p "$JOB" "$TOP/share/bpftrace/uringaio-slow.bt" 1 2>&1 | grep -m 1 -E ' read +[0-9]+ +4096 ' || return 1
    fi
    kill "$JOB"
}

check "stat of POSIX AIO" command stat posixaio
check "stat of libaio" command stat libaio
check "stat and doctor of what the kernel carries" command carried_by_the_kernel
check "stat of a program whose children's children work" command stat_names_the_one_that_works
check "stat leaves the timing of URINGAIO_STATS" command stat_leaves_the_summary
check "stat for a monitor" command openmetrics
check "stat and doctor of a process with odd names" command odd_names
check "top as lines" command top_as_lines
check "top on a terminal" command top_on_a_terminal
check "scripts for bpftrace" command bpftrace_scripts
