#!/bin/bash
# thin-provisioning-tools: the block cache behind thin_check, thin_dump and others keeps 64 blocks in flight by libaio.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
requires thin_restore thin_check thin_dump thin_repair python3
# From 1.0 on the tools are other programs, which use no AIO at all: there is nothing to serve.
if [ -z "$MISSING" ] && ! ldd "$(command -v thin_restore)" | grep -q libaio; then
    MISSING=" thin-provisioning-tools that use libaio (before 1.0)"
fi

# describe: the metadata of a pool with 8 volumes, some hundred ranges each, as thin_restore takes it.
describe() {
    python3 - > pool.xml << 'END'
import random

random.seed(5)
print('<superblock uuid="" time="1" transaction="1" version="2" data_block_size="128" nr_data_blocks="400000">')
data = 0
for volume in range(8):
    origin, ranges = 0, []
    for _ in range(random.randint(200, 900)):
        origin += random.randint(1, 4)
        length = random.randint(2, 4)
        ranges.append(f'<range_mapping origin_begin="{origin}" data_begin="{data}" length="{length}" time="0"/>')
        origin, data = origin + length, data + length
    print(f'<device dev_id="{volume}" mapped_blocks="0" transaction="0" creation_time="0" snap_time="1">', *ranges, "</device>")
print("</superblock>")
END
}

# same COMMAND…: ours and the original say the same, and end with the same status, which is then in $status.
same() {
    local there
    "$@" > original.out 2> original.err
    there=$?
    ours "$@" > ours.out 2> ours.err
    status=$?
    [ "$status" = "$there" ] || fail "$*: status $status, and $there on the original"
    cmp original.out ours.out && cmp original.err ours.err
}

pool() {
    describe
    truncate -s 16M written there
    ours thin_restore -q -i pool.xml -o written || return 1
    thin_restore -q -i pool.xml -o there || return 1
    cmp written there || return 1
    same thin_check written && [ "$status" = 0 ] && same thin_dump written && [ -s ours.out ] || return 1
    # A block that is wrong: noticed, and the same is saved.
    printf damaged | dd of=written bs=1 seek=$((40 * 4096 + 100)) conv=notrunc status=none
    same thin_check written && [ "$status" != 0 ] || return 1
    truncate -s 16M repaired.ours repaired.there
    ours thin_repair -i written -o repaired.ours && thin_repair -i written -o repaired.there || return 1
    cmp repaired.ours repaired.there || return 1
    # Cut off in the middle: reads behind the end.
    truncate -s 400k written
    same thin_check written && [ "$status" != 0 ]
}

PROOF=(io_setup io_submit io_getevents)
check "metadata restored, checked, damaged, repaired" "preload drop-in drop-in-eperm" pool

PROOF=()
seen() {
    describe
    truncate -s 16M written
    traced thin_restore -q -i pool.xml -o written && thin_check -q written
}
check "system calls seen" drop-in seen
