#!/bin/bash
# fio, both engines: random writes read back by checksum, in every way fio can submit and reap.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
requires fio

job() {
    ours fio --name=job --directory="$WORK" --rw=randwrite --bs=4k --size=16M --iodepth=32 --group_reporting "$@" |
        tee "$WORK/output"
    [ "${PIPESTATUS[0]}" -eq 0 ] || return 1
    grep -q 'err= 0' "$WORK/output" || return 1
    ! grep -Ei 'verify (failed|type mismatch)|bad magic|error=' "$WORK/output"
}

verified() { job --verify=crc32c --do_verify=1 --verify_fatal=1 "$@"; }

PROOF=('aio_write(64)?' 'aio_read(64)?' 'aio_error(64)?' 'aio_return(64)?')
check "posixaio, O_DIRECT" preload verified --ioengine=posixaio --direct=1
check "posixaio, buffered, depth 64, fsync every 8" preload verified --ioengine=posixaio --iodepth=64 --fsync=8
check "posixaio, four processes" preload verified --ioengine=posixaio --direct=1 --numjobs=4 --size=8M
check "posixaio, four threads" preload verified --ioengine=posixaio --direct=1 --numjobs=4 --thread --size=8M
check "posixaio, reads and writes mixed" preload verified --ioengine=posixaio --direct=1 --rw=randrw
check "posixaio, verified while it writes" preload verified --ioengine=posixaio --verify_backlog=256 --verify=md5
check "posixaio, sequential, 128 KiB" preload verified --ioengine=posixaio --direct=1 --rw=write --bs=128k --size=64M

both="preload drop-in"
PROOF=(io_submit io_getevents io_queue_init)
check "libaio, O_DIRECT" "$both" verified --ioengine=libaio --direct=1
check "libaio, buffered" "$both" verified --ioengine=libaio --direct=0
check "libaio, four processes" "$both" verified --ioengine=libaio --direct=1 --numjobs=4 --size=8M
check "libaio, four threads" "$both" verified --ioengine=libaio --direct=1 --numjobs=4 --thread --size=8M
check "libaio, batches" "$both" verified --ioengine=libaio --direct=1 --iodepth_batch=8 --iodepth_batch_complete_min=1
check "libaio, the ring read by fio itself" "$both" \
    verified --ioengine=libaio --direct=1 --userspace_reap=1 --iodepth_batch_complete_min=0
check "libaio, the ring read by fio itself, buffered" "$both" \
    verified --ioengine=libaio --userspace_reap=1 --iodepth_batch_complete_min=0
check "libaio, fsync every 16" "$both" verified --ioengine=libaio --direct=1 --fsync=16
check "libaio, fdatasync every 16, buffered" "$both" verified --ioengine=libaio --fdatasync=16
check "libaio, nowait" "$both" job --ioengine=libaio --direct=1 --nowait=1 --overwrite=1
check "libaio, reads and writes mixed" "$both" verified --ioengine=libaio --direct=1 --rw=randrw --bs=4k-64k --bs_unaligned=0
check "libaio, sha256, verified by other threads" "$both" \
    verified --ioengine=libaio --direct=1 --verify=sha256 --verify_async=2 --verify_backlog=512
check "libaio, priorities" "$both" job --ioengine=libaio --direct=1 --cmdprio_percentage=50 --cmdprio_class=2 --cmdprio=3
check "libaio, depth 1" "$both" verified --ioengine=libaio --direct=1 --iodepth=1 --size=4M
check "libaio, depth 1024" "$both" verified --ioengine=libaio --direct=1 --iodepth=1024

# Beside another allocator.
check "libaio, O_DIRECT, jemalloc preloaded behind" "$both" beside behind libjemalloc.so.2 malloc verified --ioengine=libaio --direct=1
check "libaio, buffered, mimalloc preloaded before" "$both" beside before libmimalloc.so.[23] malloc verified --ioengine=libaio
PROOF=('aio_write(64)?' 'aio_read(64)?' 'aio_error(64)?' 'aio_return(64)?')
check "posixaio, O_DIRECT, jemalloc preloaded before" preload \
    beside before libjemalloc.so.2 malloc verified --ioengine=posixaio --direct=1
check "posixaio, four threads, mimalloc preloaded behind" preload \
    beside behind libmimalloc.so.[23] malloc verified --ioengine=posixaio --direct=1 --numjobs=4 --thread --size=8M
PROOF=(io_submit io_getevents io_queue_init)

# Where there is no io_uring.
without="preload-eperm preload-enosys"
check "libaio, O_DIRECT, without io_uring" "$without drop-in-eperm drop-in-enosys" verified --ioengine=libaio --direct=1
check "libaio, the ring read by fio itself, without io_uring" "$without" \
    verified --ioengine=libaio --direct=1 --userspace_reap=1 --iodepth_batch_complete_min=0
PROOF=('aio_write(64)?' 'aio_read(64)?' 'aio_error(64)?' 'aio_return(64)?')
check "posixaio, O_DIRECT, without io_uring" "$without" verified --ioengine=posixaio --direct=1
check "posixaio, buffered, depth 64, fsync every 8, without io_uring" "$without" \
    verified --ioengine=posixaio --iodepth=64 --fsync=8

PROOF=()
quick() { traced fio --name=job --directory="$WORK" --size=4M --bs=4k --rw=randread --direct=1 --iodepth=16 "$@"; }
check "posixaio, system calls seen" preload quick --ioengine=posixaio
check "libaio, system calls seen" "$both" quick --ioengine=libaio
check "libaio by four processes, system calls seen" "$both" quick --ioengine=libaio --numjobs=4 --size=1M
