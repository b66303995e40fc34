#!/bin/bash
# qemu-io and qemu-img with aio=native: QEMU reads the completion ring in memory and is woken by an eventfd.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
requires qemu-io qemu-img

PROOF=(io_setup io_submit)
both="preload drop-in"

# aio=native and O_DIRECT for any layer of an image.
direct() { echo "driver=$1,file.driver=file,file.filename=$2,file.aio=native,file.cache.direct=on,cache.direct=on"; }

write_and_read_back() {
    truncate -s 64M image
    ours qemu-io -i native -t none -f raw \
        -c 'aio_write -P 0xab 0 1M' -c 'aio_write -P 0xcd 1M 512k' -c 'aio_write -P 0xef 2M 4k' -c aio_flush \
        -c 'read -P 0xab 0 1M' -c 'aio_read -P 0xcd 1M 512k' -c aio_flush -c 'read -P 0xef 2M 4k' \
        -c 'writev -P 0x11 8M 4k 8k 64k 512' -c 'readv -P 0x11 8M 64k 4k 8k 512' \
        -c 'aio_write -z 0 64k' -c aio_flush -c 'read -P 0 0 64k' -c 'read -P 0xab 64k 64k' -c flush \
        image > output || return 1
    cat output
    ! grep -qi 'failed' output
    # What QEMU says it wrote is in the file for everybody else too.
    [ "$(od -An -tx1 -j 1048576 -N 524288 -w16 -v image | sort -u)" = "$(printf ' cd%.0s' {1..16})" ]
}

wrong_pattern_is_noticed() {
    truncate -s 1M image
    ! ours qemu-io -i native -t none -f raw -c 'aio_write -P 1 0 64k' -c aio_flush -c 'read -P 2 0 64k' image
}

flood() {
    truncate -s 128M image
    ours qemu-img bench "$@" -i native -t none -f raw -c 20000 -s 4096 image | tee output
    grep -q 'Run completed' output
}

convert() {
    local format=$1
    shift
    head -c 32M /dev/urandom > source.raw
    # Holes and zeroes must come through as well.
    dd if=/dev/zero of=source.raw bs=1M seek=8 count=4 conv=notrunc status=none
    qemu-img create -q -f "$format" "target.$format" 32M
    ours qemu-img convert -n "$@" --image-opts "$(direct raw source.raw)" \
        --target-image-opts "$(direct "$format" "target.$format")" || return 1
    qemu-img convert -f "$format" -O raw "target.$format" back.raw
    cmp source.raw back.raw
}

convert_back() {
    head -c 16M /dev/urandom > source.raw
    qemu-img convert -f raw -O qcow2 -o cluster_size=4k source.raw image.qcow2
    truncate -s 16M back.raw
    ours qemu-img convert -n --image-opts "$(direct qcow2 image.qcow2)" --target-image-opts "$(direct raw back.raw)" ||
        return 1
    cmp source.raw back.raw
}

# Four clients' requests at once.
over_nbd() {
    local uri="nbd+unix:///?socket=$PWD/socket"
    command -v nbdcopy > /dev/null || skip "nbdcopy is not installed"
    head -c 16M /dev/urandom > source.raw
    truncate -s 24M source.raw image
    serve log qemu-nbd --aio=native --cache=none --format=raw --socket="$PWD/socket" --persistent --shared=4 image
    listening() { kill -0 "$SERVER" && nbdinfo --size "$uri" > /dev/null 2>&1; }
    await listening || { cat log; return 1; }
    nbdcopy --requests=32 --connections=4 source.raw "$uri" || return 1
    nbdcopy --requests=32 --connections=4 "$uri" back.raw || return 1
    cmp source.raw back.raw || return 1
    kill -TERM "$SERVER" && ended "$SERVER" && cmp source.raw image
}

check "qemu-io, write, flush, read back" "$both" write_and_read_back
check "qemu-io, jemalloc preloaded behind" "$both" beside behind libjemalloc.so.2 malloc write_and_read_back
check "qemu-io, mimalloc preloaded before" "$both" beside before libmimalloc.so.[23] malloc write_and_read_back
check "qemu-io, a wrong pattern is noticed" "$both" wrong_pattern_is_noticed
check "qemu-img bench, 20,000 writes, depth 64" "$both" flood -w -d 64
check "qemu-img bench, 20,000 writes, depth 1" "$both" flood -w -d 1
check "qemu-img bench, 20,000 reads, depth 128" "$both" flood -d 128
check "qemu-img bench, 20,000 writes, a flush every 200" "$both" flood -w -d 32 --flush-interval=200
check "qemu-img convert, raw to raw" "$both" convert raw
check "qemu-img convert, raw to raw, out of order" "$both" convert raw -W -m 8
check "qemu-img convert, raw to qcow2" "$both" convert qcow2
check "qemu-img convert, qcow2 to raw" "$both" convert_back
check "qemu-nbd, four clients" "$both drop-in-eperm" over_nbd

without="preload-eperm preload-enosys drop-in-eperm drop-in-enosys"
check "qemu-io, write, flush, read back, without io_uring" "$without" write_and_read_back
check "qemu-img convert, raw to qcow2, without io_uring" "$without" convert qcow2

PROOF=()
seen() {
    truncate -s 4M image
    traced qemu-io -i native -t none -f raw -c 'aio_write -P 0xab 0 1M' -c aio_flush -c 'read -P 0xab 0 1M' image
}
check "qemu-io, system calls seen" "$both" seen
