#!/bin/bash
# stress-ng: POSIX AIO with signals by --aio; --aiol makes every libaio call by syscall(2), wrong ones on purpose.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
requires stress-ng

SECONDS_EACH=6
stress() {
    ours stress-ng --temp-path "$WORK" --verify --timeout "$SECONDS_EACH" --metrics-brief "$@" 2>&1 | tee output
    [ "${PIPESTATUS[0]}" -eq 0 ] || return 1
    grep -q 'successful run completed' output || return 1
    ! grep -E 'fail:|error:' output
}

PROOF=('aio_read(64)?' 'aio_write(64)?' 'aio_error(64)?')
check "--aio 4" preload stress --aio 4 --aio-requests 32
check "--aio 2, 256 requests each" preload stress --aio 2 --aio-requests 256

PROOF=(syscall)
check "--aiol 4" "preload raw" stress --aiol 4 --aiol-requests 64
check "--aiol 2, 1024 requests each" raw stress --aiol 2 --aiol-requests 1024

# Where there is no io_uring.
SECONDS_EACH=3
check "--aiol 2, without io_uring" "raw-eperm raw-enosys" stress --aiol 2 --aiol-requests 64
PROOF=('aio_read(64)?' 'aio_write(64)?' 'aio_error(64)?')
check "--aio 2, without io_uring" "preload-eperm preload-enosys" stress --aio 2 --aio-requests 32

PROOF=()
seen() {
    # stress-ng's parent sends SIGALRM at the time-out: a few operations are enough here.
    traced stress-ng --temp-path "$WORK" --timeout 60 "$@"
}
check "--aio, system calls seen" preload seen --aio 1 --aio-ops 200
