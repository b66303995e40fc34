#!/bin/bash
# Open MPI's non-blocking file I/O: OMPIO mallocs its aiocbs unzeroed, polls aio_error, and frees at the first error.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
requires mpicc mpirun

export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl=self,vader

build() { mpicc -O2 -Wall -o program "$TOP/programs/support/mpi-io.c"; }

alone() {
    build || return 1
    ours ./program file | tee output
    grep -qx identical output
}

together() {
    build || return 1
    ours mpirun --oversubscribe -np "$1" ./program file | tee output
    grep -qx identical output
}

PROOF=(aio_read aio_write aio_error aio_return)
check "non-blocking I/O, one process" preload alone
check "non-blocking I/O, four processes" preload together 4

PROOF=()
seen() {
    build || return 1
    counted ./program file
}
check "operations counted" preload seen
