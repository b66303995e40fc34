# What every script here stands on: checks, routes to the library, the proof of a route, waiting for events.
# shellcheck shell=bash
#
# A script sources this file, says what it `requires`, and calls `check` once for each behaviour:
#
#     check NAME ROUTES FUNCTION [ARGUMENT…]
#
# FUNCTION runs in a subshell, in an empty directory of its own ($WORK), with $ROUTE set to each of ROUTES in turn, and
# starts the program by `ours COMMAND…`. It passes with status 0, is skipped with 77 (`skip REASON`), fails otherwise.
# Nothing is tried a second time.
#
# Routes: preload (LD_PRELOAD), drop-in (our libaio.so.1 on the library path), raw (LD_PRELOAD, and contexts made by a raw
# io_setup are ours too); each also as preload-eperm or preload-enosys, where a seccomp filter answers every io_uring call
# with that. `ours` has the dynamic linker record its bindings, and a check passes only if each symbol in
# $PROOF was bound to our file. With URINGAIO_TEST_SYSTEM=1 everything runs on the system's own AIO and nothing needs
# proof: it shows that the scripts themselves are right.
#
# By default the library leaves O_DIRECT requests of libaio programs to the kernel's own AIO. Where a check wants to see
# io_uring at work it turns that off (URINGAIO_KERNEL_AIO=off).

set -u
shopt -s inherit_errexit

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
LIBRARY=${URINGAIO_LIBRARY:-$TOP/target/release/liburingaio.so}
DROP_IN=${URINGAIO_DROP_IN:-$TOP/target/libaio/libaio.so.1}
SYSTEM=${URINGAIO_TEST_SYSTEM:-}
SUITE=$(basename "$0" .sh)
RESULTS=${URINGAIO_TEST_RESULTS:-}   # where `run` collects the verdicts
PATTERN=${URINGAIO_TEST_PATTERN:-}   # run only the checks that match
LIMIT=${URINGAIO_TEST_LIMIT:-120}    # seconds until a command counts as hanging
PROOF=()                             # symbols that must be bound to our file
BEFORE='' BEHIND=''                  # another library to preload, before ours or behind it: see beside
MISSING=

export LC_ALL=C
export PATH=$PATH:/usr/sbin:/sbin

SCRATCH=$(mktemp -d "${TMPDIR:-/var/tmp}/uringaio-$SUITE.XXXXXX") || exit 1
STARTED=$SCRATCH/started             # process ids of servers; whatever is left of them is ended with the script
: > "$STARTED"

# started PID: a process of this script's, which ends with the check. The number may belong to another process when it has ended:
# so the time of its start is kept, too (clock ticks, proc(5)).
started() { echo "$1 $(start_of "$1")" >> "$STARTED"; }
start_of() { sed 's/.*) //' "/proc/$1/stat" 2> /dev/null | cut -d ' ' -f 20; }
end_started() {
    local pid begun
    while read -r pid begun; do
        [ "$begun" = "$(start_of "$pid")" ] && kill -KILL "$pid"
    done < "$STARTED" 2> /dev/null
}

finish() {
    exec 2>/dev/null
    end_started
    wait
    if declare -F leave >/dev/null; then leave; fi
    rm -rf "$SCRATCH"
}
trap finish EXIT
trap 'exit 130' INT TERM

# requires COMMAND…: without one of them every check of the script is skipped, and counted so.
requires() {
    local command
    for command in "$@"; do
        command -v "$command" >/dev/null || MISSING="$MISSING $command"
    done
}

skip() { echo "$*" > "$SCRATCH/reason"; exit 77; }
fail() { echo "FAILED: $*"; exit 1; }

# to_our_file: sets `set` to the assignments that lead a program to the library by $ROUTE, and `under` to what to run it by.
to_our_file() {
    local preloaded=$BEFORE${BEFORE:+:}$LIBRARY${BEHIND:+:}$BEHIND
    set=() under=()
    case $ROUTE in
        preload*) set=("LD_PRELOAD=$preloaded") ;;
        raw*) set=("LD_PRELOAD=$preloaded" URINGAIO_RAW=1) ;;
        drop-in*) set=("LD_LIBRARY_PATH=$(dirname "$DROP_IN")" "LD_PRELOAD=$BEFORE$BEHIND") ;;
        *) set=("LD_PRELOAD=$BEFORE$BEHIND") ;;
    esac
    case $ROUTE in
        *-eperm) under=("$(helper c-tests/support/refuse.c)" io_uring EPERM) ;;
        *-enosys) under=("$(helper c-tests/support/refuse.c)" io_uring ENOSYS) ;;
    esac
    if [ "${#PROOF[@]}" -gt 0 ] && [ "$ROUTE" != system ]; then
        set+=(LD_BIND_NOW=1 LD_DEBUG=bindings "LD_DEBUG_OUTPUT=$WORK/bindings")
    fi
}

# helper FILE.c: builds it once. Its path.
helper() {
    local built
    built=$TOP/target/programs/$(basename "$1" .c)
    if [ ! -x "$built" ] || [ "$TOP/$1" -nt "$built" ]; then
        mkdir -p "$TOP/target/programs"
        "${CC:-cc}" -D_GNU_SOURCE -O1 -Wall -o "$built" "$TOP/$1" || return 1
    fi
    echo "$built"
}

# ours COMMAND…: runs it on $ROUTE, under a time limit, with its bindings on record.
ours() {
    local -a set under
    to_our_file
    # env does the exec, so that neither timeout nor a shell has the library loaded.
    timeout -k 10 "$LIMIT" "${under[@]}" env "${set[@]}" "$@"
}

file_of_route() { case $ROUTE in drop-in*) echo "$DROP_IN" ;; *) echo "$LIBRARY" ;; esac; }

# Every symbol in $PROOF was bound to our file by some process of this check. Programs of Debian 13 and Ubuntu 24.04 ask for
# libaio.so.1t64, which is another name of the same file.
bound_to_ours() {
    local file symbol
    [ "$ROUTE" != system ] || return 0
    file=$(file_of_route)
    for symbol in "${PROOF[@]}"; do
        # An extended expression, such as aio_read(64)?
        grep -Eqs "to $file(t64)? \[0\]: normal symbol .$symbol'" "$WORK"/bindings.* ||
            { echo "FAILED: no process bound $symbol to $file"; return 1; }
    done
}

# beside ORDER LIBRARY SYMBOL FUNCTION…: calls it with another library preloaded, `before` or `behind` ours, to which some
# process must then have bound SYMBOL. LIBRARY is a name that the dynamic linker knows (an
# expression, where releases differ in the version), or a path.
beside() {
    local order=$1 symbol=$3 path=$2
    case $path in */*) ;; *) path=$(ldconfig -p | sed -n "s|.*[[:space:]]$path (.*x86-64.*=> ||p; s|.*[[:space:]]$path (.*AArch64.*=> ||p" | head -n 1) ;; esac
    [ -e "$path" ] || skip "$2 is not installed"
    if [ "$order" = before ]; then BEFORE=$path; else BEHIND=$path; fi
    shift 3
    "$@" || return 1
    grep -Eqs "to $path \[0\]: normal symbol .$symbol'" "$WORK"/bindings.* || [ "$ROUTE" = system ] ||
        fail "no process bound $symbol to $path"
}

has_io_uring() { "$(helper programs/support/has-io-uring.c)"; }

# traced COMMAND…: runs it on $ROUTE under strace, everything by the engine; the kernel must have seen io_uring at work and no
# AIO of its own.
traced() {
    local -a set=()
    local counts=$WORK/system-calls
    command -v strace >/dev/null || skip "strace is not installed"
    strace -f -o /dev/null true 2>/dev/null || skip "processes cannot be traced here"
    has_io_uring || skip "io_uring is not available here"
    case $ROUTE in
        preload) set=(-E "LD_PRELOAD=$LIBRARY") ;;
        raw) set=(-E "LD_PRELOAD=$LIBRARY" -E URINGAIO_RAW=1) ;;
        drop-in) set=(-E "LD_LIBRARY_PATH=$(dirname "$DROP_IN")") ;;
    esac
    timeout -k 10 "$LIMIT" strace -f --seccomp-bpf -o "$counts" "${set[@]}" -E URINGAIO_KERNEL_AIO=off \
        -e trace=io_setup,io_submit,io_getevents,io_pgetevents,io_cancel,io_destroy,io_uring_setup,io_uring_enter \
        "$@" || return 1
    [ "$ROUTE" != system ] || return 0
    grep -q 'io_uring_enter(' "$counts" || fail "io_uring was never entered"
    ! grep -E '\bio_(setup|submit|getevents|pgetevents|cancel|destroy)\(' "$counts" | head -n 5 | grep . ||
        fail "the kernel's own AIO was called"
}

# counted COMMAND…: runs it on the library, whose summary at exit must count operations. For programs whose I/O may all be done
# in place, without io_uring.
counted() {
    [ "$ROUTE" = preload ] || { "$@"; return; }
    timeout -k 10 "$LIMIT" env LD_PRELOAD="$LIBRARY" URINGAIO_STATS=1 "$@" 2> summary || { cat summary; return 1; }
    grep -E '^uringaio: process [0-9]+, .*: [1-9][0-9]* operations' summary || fail "the library counted no operation"
}

# The library is among the mappings of a running server.
server_is_ours() {
    [ "$ROUTE" != system ] || return 0
    grep -qF "$(file_of_route)" "/proc/$1/maps" || { echo "FAILED: the server does not have the library loaded"; return 1; }
}

# serve COMMAND…: starts a server on $ROUTE in the background; its process id is then in $SERVER.
serve() {
    local log=$1
    shift
    local -a set under
    to_our_file
    "${under[@]}" env "${set[@]}" "$@" > "$log" 2>&1 < /dev/null &
    SERVER=$!
    started "$SERVER"
}

# ended PID: waits until a process that this shell started has ended, and takes its status; not for ever.
ended() {
    timeout "$LIMIT" tail --pid="$1" -f /dev/null || { echo "FAILED: process $1 does not end"; return 1; }
    wait "$1"
}

# await COMMAND…: until it succeeds, for as long as the time limit allows.
await() {
    local until=$((SECONDS + LIMIT))
    until "$@"; do
        [ "$SECONDS" -lt "$until" ] || { echo "FAILED: gave up waiting for: $*"; return 1; }
        sleep 0.1
    done
}

# A TCP port that is not in use now. The kernel gives each caller another one.
free_port() { "$(helper programs/support/free-port.c)"; }

attempt() (
    WORK=$(mktemp -d "$SCRATCH/check.XXXXXX") || exit 1
    STARTED=$WORK/.started # what this check starts ends with it
    : > "$STARTED"
    rm -f "$SCRATCH/reason"
    (
        cd "$WORK" || exit 1
        "$@" && bound_to_ours
    ) > "$SCRATCH/log" 2>&1 < /dev/null
    status=$?
    end_started
    if [ -n "${URINGAIO_TEST_KEEP:-}" ] && [ "$status" -ne 0 ]; then cp -r "$WORK" "$URINGAIO_TEST_KEEP"; fi
    rm -rf "$WORK"
    exit "$status"
)

verdict() {
    printf '%-8s %s: %s%s\n' "$1" "$SUITE" "$2" "${3:+  ($3)}"
    [ -z "$RESULTS" ] || printf '%s\t%s: %s\t%s\n' "$1" "$SUITE" "$2" "${3:-}" >> "$RESULTS"
}

check() {
    local name=$1 routes=$2 begun status
    shift 2
    [ -z "$SYSTEM" ] || routes=system
    for ROUTE in $routes; do
        local title="$name, $ROUTE"
        if [ -n "$PATTERN" ] && ! printf '%s: %s\n' "$SUITE" "$title" | grep -Eq -e "$PATTERN"; then continue; fi
        if [ -n "$MISSING" ]; then
            verdict skipped "$title" "not installed:$MISSING"
            continue
        fi
        begun=$SECONDS
        attempt "$@"
        status=$?
        case $status in
            0) verdict passed "$title" "$((SECONDS - begun)) s" ;;
            77) verdict skipped "$title" "$(cat "$SCRATCH/reason")" ;;
            *)
                sed 's/^/    | /' "$SCRATCH/log" | tail -n 40
                verdict failed "$title" "status $status"
                ;;
        esac
    done
}
