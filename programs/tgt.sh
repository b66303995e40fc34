#!/bin/bash
# tgt, an iSCSI target with --bstype aio: it hangs if an eventfd counts one completion too many or too few.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
requires tgtd tgtadm iscsi-inq

NAME=iqn.2024-01.org.example:disk

admin() { tgtadm -C 0 "$@"; }

# Each check has a target of its own; $URL is its logical unit on ./disk.
target() {
    local port
    export TGT_IPC_SOCKET=$WORK/control
    truncate -s 32M disk
    port=$(free_port) || return 1
    serve "$WORK/tgtd.log" tgtd -f -C 0 --iscsi "portal=127.0.0.1:$port"
    ready() { kill -0 "$SERVER" && admin --op show --mode system > /dev/null 2>&1; }
    await ready || { cat tgtd.log; return 1; }
    admin --lld iscsi --op new --mode target --tid 1 -T "$NAME" || return 1
    admin --lld iscsi --op new --mode logicalunit --tid 1 --lun 1 --bstype aio -b "$WORK/disk" || return 1
    admin --lld iscsi --op bind --mode target --tid 1 -I ALL || return 1
    URL=iscsi://127.0.0.1:$port/$NAME/1
    iscsi-inq "$URL" | grep -q DIRECT_ACCESS || return 1
    server_is_ours "$SERVER"
}

end_of_target() {
    gone() { admin --lld iscsi --op delete --mode target --tid 1 --force; }
    await gone || return 1
    admin --op delete --mode system
    ended "$SERVER" || { cat tgtd.log; return 1; }
    ! grep -E 'aio.*(fail|error)' tgtd.log
}

copy() {
    "${CC:-cc}" -O2 -Wall -o iscsi-copy "$TOP/programs/support/iscsi-copy.c" -liscsi 2> why ||
        skip "libiscsi's headers are not installed"
    target || return 1
    head -c 32M /dev/urandom > contents
    timeout "$LIMIT" ./iscsi-copy write "$URL" contents || return 1
    timeout "$LIMIT" ./iscsi-copy verify "$URL" contents || return 1
    end_of_target || return 1
    cmp contents disk
}

conformance() {
    command -v iscsi-test-cu > /dev/null || skip "iscsi-test-cu is not installed"
    target || return 1
    # Verify10 is left out: this backing store does not compare.
    for suite in Write10 Read10 Write16 Read16 Read6; do
        timeout "$LIMIT" iscsi-test-cu --dataloss --fail -t "ALL.$suite" "$URL" > suite.log 2>&1
        grep -E 'Test:|FAILED|asserts|passed' suite.log
        grep -q 'Run Summary' suite.log || { echo "FAILED: $suite did not end"; return 1; }
        grep -E '^ +tests ' suite.log | awk '{ exit !($3 > 0 && $5 == 0) }' || { echo "FAILED: $suite"; return 1; }
    done
    end_of_target
}

PROOF=(io_setup io_submit io_getevents)
check "32 MiB written, read back, compared" "preload drop-in" copy
check "libiscsi's own tests of reads and writes" "preload drop-in" conformance
