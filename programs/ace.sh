#!/bin/bash
# ACE's proactor: POSIX AIO on sockets and on a pipe that wakes it, one request in each direction at all times.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
requires g++
[ -e /usr/include/ace/POSIX_CB_Proactor.h ] || MISSING="$MISSING libace-dev"

# Built once for the script.
build() { g++ -std=c++17 -O1 -Wall -Wextra -o "$SCRATCH/proactor" "$TOP/programs/support/proactor.cc" -lACE; }

# glibc 2.36 may abort in aio_suspend ("Assertion `requestlist[cnt] != NULL' failed") when a request ends meanwhile.
echoes() {
    [ "$ROUTE" != system ] || [ "$1" != aiocb ] || skip "glibc's aio_suspend may abort the program"
    ours "$SCRATCH/proactor" "$1" | tee output
    grep -qx '1600 echoes' output
}

if [ -z "$MISSING" ] && ! build; then
    verdict failed "the program builds"
    exit 1
fi

PROOF=(aio_read aio_write aio_error aio_return aio_suspend)
check "echoes on sockets, aio_suspend" "preload preload-eperm preload-enosys" echoes aiocb
PROOF=(aio_read aio_write aio_error aio_return)
check "echoes on sockets, real-time signals" "preload preload-eperm" echoes signal
check "echoes on sockets, SIGEV_THREAD" "preload preload-eperm" echoes callback

PROOF=()
check "operations counted" preload counted "$SCRATCH/proactor" aiocb
