#!/bin/bash
# ioping -A: a context of one request, set up and used by raw system calls, waited for one by one.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
requires ioping

ping() {
    head -c 4M /dev/zero > file
    ours ioping -A -c 500 -i 0 -q -B "$@" file | tee output
    [ "${PIPESTATUS[0]}" -eq 0 ] && [ "$(cut -d ' ' -f 1 output)" -ge 499 ]
}

PROOF=(syscall)
check "asynchronous reads, O_DIRECT" "preload raw" ping -D
check "asynchronous reads, cached" raw ping -C
check "asynchronous writes, O_DIRECT" raw ping -D -W -W -W

PROOF=()
seen() {
    head -c 1M /dev/zero > file
    traced ioping -A -D -c 20 -i 0 -q file
}
check "system calls seen" raw seen
