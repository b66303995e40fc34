#!/bin/bash
# Other libraries and modules in the same process, and other ways to load this one: docs/company.md says in which order to list
# them. (jemalloc and mimalloc are with fio, QEMU and MariaDB.)
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
requires fio

verified() {
    ours "${by[@]}" fio --name=job --directory="$WORK" --rw=randwrite --bs=4k --size=4M --iodepth=16 --verify=crc32c --do_verify=1 \
        --verify_fatal=1 "$@" | tee "$WORK/output"
    [ "${PIPESTATUS[0]}" -eq 0 ] || return 1
    grep -q 'err= 0' "$WORK/output"
}
by=()

# built NAME [FLAG]…: programs/support/NAME.c as a shared object of this check.
built() { "${CC:-cc}" -D_GNU_SOURCE -O1 -Wall -shared -fPIC -o "$WORK/$1.so" "$TOP/programs/support/$1.c" "${@:2}"; }

posix=(--ioengine=posixaio --direct=1)
libaio=(--ioengine=libaio --direct=1)
of_posix=('aio_write(64)?' 'aio_read(64)?' 'aio_error(64)?' 'aio_return(64)?')
of_libaio=(io_submit io_getevents)

PROOF=("${of_posix[@]}")
check "fio, posixaio, tcmalloc behind" preload beside behind libtcmalloc_minimal.so.4 malloc verified "${posix[@]}"
PROOF=("${of_libaio[@]}")
check "fio, libaio, tcmalloc before" preload beside before libtcmalloc_minimal.so.4 malloc verified "${libaio[@]}"

# The clock is three days behind: fio prints its date.
time_is_faked() {
    local found=(/usr/lib/*/faketime/libfaketimeMT.so.1)
    export FAKETIME=-3d
    beside "$1" "${found[0]}" clock_gettime verified "${@:2}" || return 1
    grep -q "$(date -d '3 days ago' '+%b %_d')" "$WORK/output" || fail "the time is not faked"
}
check "fio, libaio, libfaketime before" preload time_is_faked before "${libaio[@]}"
PROOF=("${of_posix[@]}")
check "fio, posixaio, libfaketime behind" preload time_is_faked behind "${posix[@]}"

# fakeroot puts itself before what is preloaded.
rights_are_faked() {
    command -v fakeroot > /dev/null || skip "fakeroot is not installed"
    by=(fakeroot --)
    verified "$@"
}
check "fio, posixaio, by fakeroot" preload rights_are_faked "${posix[@]}"

audited() {
    built audit || return 1
    by=(env "LD_AUDIT=$WORK/audit.so")
    verified "$@"
}
PROOF=()
check "fio, posixaio, LD_AUDIT" preload audited "${posix[@]}"
check "fio, libaio, LD_AUDIT" "preload drop-in" audited "${libaio[@]}"

# Hooks as those of Open MPI with RDMA.
hooked() {
    local status
    "${CC:-cc}" -D_GNU_SOURCE -O1 -Wall -o hooks "$TOP/programs/support/memory-hooks.c" -laio || return 1
    head -c 65536 /dev/urandom > file
    URINGAIO_KERNEL_AIO=off ours ./hooks file
    status=$?
    [ "$status" -ne 77 ] || skip "UCX is not installed"
    return "$status"
}
check "UCX's memory hooks" "preload drop-in" hooked

# loads EATERS [namespace]: by dlopen, or dlmopen; the program exports nothing of ours.
loads() {
    local eaters=() i
    "${CC:-cc}" -D_GNU_SOURCE -O1 -Wall -o loads "$TOP/programs/support/loaded.c" || return 1
    for ((i = 1; i <= $1; i++)); do
        echo '__thread char eaten[200] __attribute__((tls_model("initial-exec"))); char *eats(void) { return eaten; }' |
            "${CC:-cc}" -shared -fPIC -x c -o "eater$i.so" - || return 1
        eaters+=("./eater$i.so")
    done
    timeout -k 10 "$LIMIT" ./loads "$LIBRARY" "${@:2}" "${eaters[@]}"
}
check "dlopen where static thread-local storage is used up" dlopen loads 20
check "dlmopen" dlopen loads 0 namespace
