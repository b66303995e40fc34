#!/bin/bash
# sysbench fileio in asynchronous mode: io_queue_init and io_getevents, where a short or lost request is FATAL.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
requires sysbench

both="preload drop-in"
files=(--file-total-size=64M --file-num=4)

run() {
    sysbench fileio "${files[@]}" prepare > /dev/null || return 1
    ours sysbench fileio "${files[@]}" --file-io-mode=async --file-async-backlog=128 --time="$1" --max-requests=0 \
        "${@:2}" run | tee output
    [ "${PIPESTATUS[0]}" -eq 0 ] || return 1
    ! grep -q FATAL output || return 1
    awk '/reads\/s/ { r = $2 } /writes\/s/ { w = $2 } END { exit !(r + w > 0) }' output
}

PROOF=(io_queue_init io_submit io_getevents io_queue_release)
check "random reads and writes, O_DIRECT" "$both" run 5 --file-extra-flags=direct --file-test-mode=rndrw
check "random reads and writes, buffered" "$both" run 2 --file-test-mode=rndrw
check "random writes, four threads" "$both" run 2 --file-extra-flags=direct --file-test-mode=rndwr --threads=4
check "sequential rewrite, fdatasync" "$both" run 2 --file-test-mode=seqrewr --file-fsync-mode=fdatasync

check "random reads and writes, without io_uring" "preload-eperm preload-enosys drop-in-eperm" \
    run 2 --file-extra-flags=direct --file-test-mode=rndrw

PROOF=()
seen() {
    sysbench fileio "${files[@]}" prepare > /dev/null || return 1
    # Cached reads and buffered writes are done in place; these are not.
    traced sysbench fileio "${files[@]}" --file-io-mode=async --file-extra-flags=direct --file-test-mode=rndrw --time=0 \
        --events=500 run
}
check "system calls seen" "$both" seen
