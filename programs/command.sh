#!/bin/bash
# The command `uringaio`: what it runs, refuses, finds out, shows and measures, and its exit statuses.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
requires fio python3

URINGAIO=$TOP/target/release/uringaio

built() {
    [ -z "$SYSTEM" ] || skip "on the system's own AIO there is no command"
    [ -x "$URINGAIO" ] || make -s -C "$TOP" command > "$SCRATCH/command.log" 2>&1 || { cat "$SCRATCH/command.log"; return 1; }
}

# status N COMMAND…: ends with that status, and says why on one line.
status() {
    local wanted=$1 got
    shift
    timeout "$LIMIT" "$@" > out 2> err
    got=$?
    cat out err
    [ "$got" -eq "$wanted" ] || fail "status $got, not $wanted: $*"
}


fails_clearly() {
    built || return 1
    status 2 "$URINGAIO"
    status 2 "$URINGAIO" frobnicate && grep -q frobnicate err || return 1
    status 2 "$URINGAIO" run --face neither true
    status 127 "$URINGAIO" run -- no-such-program-anywhere && grep -q no-such-program-anywhere err || return 1
    status 126 "$URINGAIO" run -- /etc/hostname
    status 125 "$URINGAIO" run --library /nowhere/liburingaio.so -- true && grep -q -e --library err || return 1
    status 125 "$URINGAIO" run --library /etc/hostname -- true && grep -q 'not a library' err || return 1
    status 125 "$URINGAIO" run --library "$DROP_IN" -- true && grep -q 'not a liburingaio.so' err || return 1
    status 127 "$URINGAIO" run '' || return 1
    printf '#!/nowhere/shell\n' > script && chmod +x script
    status 126 "$URINGAIO" run ./script && grep -q '/nowhere/shell' err || return 1
    # Nobody waits for a pipe that is named where a program should be.
    mkfifo pipe && chmod +x pipe && printf '#!%s/pipe\n' "$PWD" > script
    status 126 "$URINGAIO" run ./script && grep -q 'not a file' err || return 1
    status 126 "$URINGAIO" run ./pipe || return 1
    status 0 "$URINGAIO" --version && grep -Eq '^uringaio [0-9]+\.[0-9]+\.[0-9]+$' out || return 1
    for command in run doctor stat bench drop-in; do
        status 0 "$URINGAIO" "$command" --help && grep -q 'Exit status' out || return 1
        cp out help && status 0 "$URINGAIO" help "$command" && cmp help out || return 1
    done
    status 2 "$URINGAIO" help frobnicate
}

refuses_static() {
    built || return 1
    printf 'int main(void) { return 0; }\n' > program.c
    "${CC:-cc}" -static -o program program.c 2> /dev/null || skip "nothing can be linked statically here"
    status 126 "$URINGAIO" run ./program && grep -q 'statically linked' err
}

refuses_set_uid() {
    built || return 1
    [ "$(id -u)" = 0 ] || skip "not root"
    # Of another user, and so run with other rights than the caller's.
    cp "$(type -P true)" program && chown 1 program && chmod 4755 program
    [ -u program ] || skip "no set-uid files here"
    status 126 "$URINGAIO" run ./program && grep -q 'set-uid' err
}

is_the_program() {
    built || return 1
    printf '#!/bin/sh\necho "$0 $*"\nexit 42\n' > script && chmod +x script
    status 42 "$URINGAIO" run --engine threads -- ./script --stats -x && grep -qx './script --stats -x' out || return 1
    # A warning, since the shell calls neither interface; and the script was run all the same.
    grep -q 'warning: .*neither' err
}

summary() {
    built || return 1
    status 0 "$URINGAIO" run --stats --log -- fio --name=job --filename=data --size=4M --rw=randread --bs=4k --ioengine="$1" \
        --iodepth=8 || return 1
    # 1024 blocks, each read once, and nothing left over.
    grep -Eq "^uringaio: process .* 1024 operations \($2\).* 0 failed, 0 canceled, 0 in flight$" err &&
        grep -q '^uringaio: read 4.* wrote 0 bytes' err
}

face_alone() { # the other interface is the system's, and says so in the counters
    built || return 1
    status 0 "$URINGAIO" run --face posix --stats -- fio --name=job --filename=data --size=4M --rw=randread --bs=4k \
        --ioengine=posixaio --iodepth=8 && grep -q ' 1024 operations (POSIX 1024, libaio 0)' err || return 1
    status 0 "$URINGAIO" run --face posix --stats -- fio --name=job --filename=data --size=4M --rw=randread --bs=4k \
        --ioengine=libaio --iodepth=8 && ! grep -q 'libaio [1-9][0-9]*)' err || return 1
    status 0 "$URINGAIO" run --face libaio --stats -- fio --name=job --filename=data --size=4M --rw=randread --bs=4k \
        --ioengine=libaio --iodepth=8 --thread && grep -q ' 1024 operations (POSIX 0, libaio 1024)' err
}

doctor() {
    built || return 1
    local wanted=1
    if has_io_uring; then wanted=0; fi
    status "$wanted" "$URINGAIO" doctor fio && grep -q 'POSIX AIO: .*aio_read' out && grep -q 'libaio: .*io_submit' out ||
        return 1
    status "$wanted" "$URINGAIO" doctor --json fio || return 1
    python3 -c 'import json, sys
object = json.load(open("out"))
assert object["engine"] in ("io_uring", "threads", "system"), object["engine"]
assert any("io_submit" in check["means"] for check in object["program"])
for section in ("library", "kernel", "limits", "files", "program"):
    for check in object[section]:
        assert check["verdict"] in ("good", "note", "bad") and check["what"] and check["means"], check' || return 1
    status 127 "$URINGAIO" doctor no-such-program-anywhere
}

# A loader that a file names is no reason to run it.
doctor_runs_nothing() {
    built || return 1
    printf '#!/bin/sh\n: > "%s/was-run"\n' "$PWD" > loader && chmod +x loader
    printf 'int main(void) { return 0; }\n' > program.c
    "${CC:-cc}" -Wl,--dynamic-linker="$PWD/loader" -o program program.c || return 1
    "$URINGAIO" doctor ./program | grep 'calls neither interface' || return 1
    [ ! -e was-run ]
}

# Without io_uring doctor says what stands in the way, and what serves instead.
doctor_without() {
    built || return 1
    "${CC:-cc}" -O1 -o without "$TOP/c-tests/support/without-io-uring.c" || return 1
    ./without true || skip "no seccomp here"
    status 1 ./without "$URINGAIO" doctor && grep -q 'BAD .*seccomp' out && grep -q 'POSIX AIO .*threads' out || return 1
    status 1 ./without --enosys "$URINGAIO" doctor --json && python3 -m json.tool < out > /dev/null && grep -q '"threads"' out ||
        return 1
    status 1 env URINGAIO_ENGINE=system "$URINGAIO" doctor && grep -q "BAD .*left to the kernel's AIO" out
}

# What stat shows of a running program, at two moments, is what grows and adds up.
stat() {
    built || return 1
    "$URINGAIO" run -- fio --name=job --filename=data --size=8M --rw=randread --bs=4k --ioengine="$1" --iodepth=8 --thread \
        --time_based --runtime=3000 > fio.log 2>&1 &
    local job=$!
    echo "$job" >> "$STARTED"
    await quietly "$URINGAIO" stat --once "$job" || { cat fio.log; return 1; }
    status 0 "$URINGAIO" stat --once "$job" && grep -q "^process $job, uringaio " out || return 1
    await sample "$job" "$1" || return 1
    kill "$job"
}

# An interval in which the program got something done. Under load there may be one in which it did not.
sample() {
    status 0 "$URINGAIO" stat --json --interval 0.3 --count 2 "$1"
    python3 -c 'import json, sys
face = {"posixaio": "posix", "libaio": "libaio"}[sys.argv[1]]
lines = [json.loads(line) for line in open("out")]
assert len(lines) == 2
for line in lines:
    assert line["failed"][face] == 0 and line["in_flight"][face] < 1000, line
    done = sum(line["in_place"][face].values()) + sum(line["by_engine"][face].values())
    timed = line["latency_ns"]["in_place"]["timed"] + line["latency_ns"]["engine"]["timed"]
    if not (done > 0 and timed > 0 and line["submitted"][face] > 0 and line["bytes_read"] > 0): sys.exit(1)' "$2"
}

quietly() { "$@" > /dev/null 2>&1; }

# fio's jobs are children: of the parent stat says which one works.
stat_names_the_child() {
    built || return 1
    "$URINGAIO" run -- fio --name=job --filename=data --size=8M --rw=randread --bs=4k --ioengine=posixaio --iodepth=8 \
        --time_based --runtime=3000 > fio.log 2>&1 &
    local job=$! child
    echo "$job" >> "$STARTED"
    await names_a_child "$job" || { cat fio.log; return 1; }
    child=$(sed -n 's/.*its child \([0-9]*\) has.*/\1/p' err)
    status 0 "$URINGAIO" stat --once "$child" && grep -q "^process $child, uringaio " out || return 1
    # The counters end with the process, and so does the command.
    timeout "$LIMIT" "$URINGAIO" stat --interval 0.1 "$child" > out 2>&1 &
    local watcher=$!
    await grep -q "^process $child, " out || return 1
    kill "$job"
    ended "$watcher"
}

# A program that times everything by itself goes on with that after it was watched.
stat_leaves_the_summary() {
    built || return 1
    "$URINGAIO" run --stats -- fio --name=job --filename=data --size=4M --rw=randread --bs=4k --ioengine=posixaio --iodepth=8 \
        --thread --time_based --runtime=3000 > fio.log 2> summary &
    local job=$! timed
    echo "$job" >> "$STARTED"
    await quietly "$URINGAIO" stat --once "$job" || return 1
    status 0 "$URINGAIO" stat --count 2 --interval 0.1 "$job" || return 1
    timed=$(timed "$job") && await more_than "$timed" "$job" || return 1
    kill "$job"
}

timed() {
    "$URINGAIO" stat --once --json "$1" | python3 -c 'import json, sys
print(sum(lane["timed"] for lane in json.load(sys.stdin)["latency_ns"].values()))'
}

more_than() { [ "$(timed "$2")" -gt "$1" ]; }

names_a_child() {
    "$URINGAIO" stat --once "$1" 2> err
    grep -q 'its child [0-9]* has' err
}

stat_fails_clearly() {
    built || return 1
    sleep 3000 &
    local other=$!
    echo "$other" >> "$STARTED"
    status 1 "$URINGAIO" stat "$other" && grep -q 'does not use uringaio' err || return 1
    kill "$other"
    wait "$other"
    status 1 "$URINGAIO" stat "$other" && grep -q 'no process' err || return 1
    [ "$(id -u)" = 0 ] || return 0
    command -v setpriv > /dev/null || return 0
    # Another user's process, and this command as a user without rights.
    sleep 3000 &
    other=$!
    echo "$other" >> "$STARTED"
    cp "$URINGAIO" uringaio && chmod 755 uringaio . ..
    status 1 setpriv --reuid 65534 --regid 65534 --clear-groups ./uringaio stat "$other" && grep -q 'may not be read' err
}

bench() {
    built || return 1
    status 0 "$URINGAIO" bench --seconds 0.05 --rounds 1 --size 4 --report report.html || return 1
    [ "$(grep -c 'in flight' out)" -eq 12 ] && grep -q '<svg' report.html && grep -q '</html>' report.html || return 1
    # A file that is somebody's is read alone, and stays as it was.
    head -c 1M /dev/urandom > mine
    cp mine copy
    status 0 "$URINGAIO" bench --json --seconds 0.05 --rounds 2 --report report.svg mine || return 1
    cmp mine copy || return 1
    python3 -c 'import json, xml.dom.minidom
rows = json.load(open("out"))["rows"]
assert len(rows) == 8 and all("read" in row["name"] for row in rows)
assert all(row["system"]["per_second"] > 0 and row["uringaio"]["per_second"] > 0 for row in rows)
xml.dom.minidom.parse("report.svg")' || return 1
    # Neither is there an empty report when nothing came of it, nor a measurement whose report cannot be kept.
    status 2 "$URINGAIO" bench --only nothing --size 1 --report none.svg && [ ! -e none.svg ] || return 1
    status 1 "$URINGAIO" bench --report nowhere/report.svg || return 1
    # Started on the library itself, it still compares with the system's.
    status 0 env LD_PRELOAD="$LIBRARY" "$URINGAIO" bench --json --seconds 0.05 --rounds 1 --size 4 --only 'libaio, cached' || return 1
    # Nothing was left in the directory.
    [ -z "$(find . -name '.uringaio*')" ] && status 2 "$URINGAIO" bench --report report.txt
}

completion() { # what bash offers is what --help names
    built || return 1
    local option command
    if command -v zsh > /dev/null; then zsh -n "$TOP/completions/_uringaio" || return 1; fi
    if command -v fish > /dev/null; then
        fish -c 'source $argv[1]; complete -C"uringaio run --face "' "$TOP/completions/uringaio.fish" | grep libaio || return 1
        # Behind the program its own options are completed.
        fish -c 'source $argv[1]; complete -C"uringaio run ls --st"' "$TOP/completions/uringaio.fish" | grep -e --stats && return 1
    fi
    # shellcheck disable=SC1091
    . "$TOP/completions/uringaio.bash" || return 1
    for command in run doctor stat bench; do
        COMP_WORDS=(uringaio "$command" --) COMP_CWORD=2
        _uringaio
        for option in $("$URINGAIO" "$command" --help | grep -oE '^ +(-h, )?--[a-z]+' | tr -d ' ' | sed 's/-h,//'); do
            printf '%s\n' "${COMPREPLY[@]}" | grep -qx -e "$option" || fail "$command $option is not completed"
            grep -q -e "$option" "$TOP/completions/_uringaio" || fail "$command $option is unknown to zsh"
            grep -q -e "-l ${option#--}" "$TOP/completions/uringaio.fish" || fail "$command $option is unknown to fish"
            in_manual "$option" || fail "$command $option is not in the manual"
        done
    done
}

# Every variable that is read is on the page of tuning and in the manual, and no other is.
settings() {
    local page
    grep -oE 'URINGAIO_[A-Z_]+' "$TOP/src/host/settings.rs" | sort -u > variables
    for page in "$TOP/man/liburingaio.3" "$TOP/docs/tuning.md"; do
        case $page in
            *.3) sed -n 's/^\.It Ev //p' "$page" ;;
            *) sed -n 's/^| `\(URINGAIO_[A-Z_]*\)` .*/\1/p' "$page" ;;
        esac | sort -u > told
        diff variables told || fail "$page tells of other variables than are read"
    done
}

in_manual() { grep -q -e "Fl -${1#--}" "$TOP/man/uringaio.1"; }

manual() {
    local page lint
    command -v mandoc > /dev/null || skip "mandoc is not installed"
    for page in "$TOP"/man/*.[0-9]; do
        # Manuals of other packages may not be installed here.
        lint=$(mandoc -T lint "$page" 2> /dev/null | grep -v 'referenced manual not found')
        [ -z "$lint" ] || { echo "$lint"; return 1; }
    done
}

check "wrong use is told clearly" command fails_clearly
check "a static program is refused" command refuses_static
check "a set-uid program is refused" command refuses_set_uid
check "run becomes the program" command is_the_program
check "the summary counts POSIX AIO exactly" command summary posixaio "POSIX 1024, libaio 0"
check "the summary counts libaio exactly" command summary libaio "POSIX 0, libaio 1024"
check "one face alone" command face_alone
check "doctor" command doctor
check "doctor runs nothing of a program" command doctor_runs_nothing
check "doctor without io_uring" command doctor_without
check "stat of POSIX AIO" command stat posixaio
check "stat of libaio" command stat libaio
check "stat of a program whose children work" command stat_names_the_child
check "stat leaves the timing of URINGAIO_STATS" command stat_leaves_the_summary
check "stat of what is not ours" command stat_fails_clearly
check "bench and its reports" command bench
check "options: completions and manual" command completion
check "settings: manual and tuning" command settings
check "manual pages" command manual
