#!/bin/bash
# The profiles and examples of share/sandbox: they allow io_uring, and forbid what they should.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
requires python3 cc

URINGAIO=${URINGAIO_COMMAND:-$TOP/target/release/uringaio}
SHARED=$TOP/share/sandbox
BENEATH=$TOP/programs/support/under-profile

ready() {
    [ -z "$SYSTEM" ] || skip "a sandbox for the library"
    [ -x "$URINGAIO" ] || fail "$URINGAIO is missing; run make command"
    has_io_uring || skip "no io_uring here"
    "$BENEATH" "$SHARED/seccomp-io_uring.json" true || skip "no seccomp filters here"
}

# reports FILE WORD…: each of them is in the file.
reports() {
    local file=$1 word
    shift
    for word in "$@"; do
        grep -qF -- "$word" "$file" || { cat "$file"; echo "FAILED: no '$word' there"; return 1; }
    done
}

doctor() { # COMMAND…: what it says beneath that
    "$@" "$URINGAIO" doctor --library "$LIBRARY" > report
    tr -s ' \n' ' ' < report > flat
}

# serves ENGINE UNDER…: fio beneath that, whose log says that ENGINE serves.
serves() {
    local wanted=$1 engine
    shift
    command -v fio > /dev/null || skip "no fio"
    for engine in libaio posixaio; do
        timeout "$LIMIT" "$@" env "LD_PRELOAD=$LIBRARY" URINGAIO_LOG=1 URINGAIO_KERNEL_AIO=off \
            fio --name=job --filename=file --size=4m --rw=randrw --bs=4k --ioengine=$engine --iodepth=8 --fsync=50 \
            > out 2> err || { cat out err; return 1; }
        reports err "$wanted serve" || return 1
    done
}

profile() {
    ready
    doctor "$BENEATH" "$SHARED/$1"
    reports flat 'io_uring can be used here' 'The library uses io_uring here' || return 1
    ! "$BENEATH" "$SHARED/$1" unshare --user true || { echo "FAILED: $1 lets namespaces be made"; return 1; }
    # A socket to the hypervisor (AF_VSOCK).
    ! "$BENEATH" "$SHARED/$1" python3 -c 'import socket; socket.socket(40)' || { echo "FAILED: $1 allows AF_VSOCK"; return 1; }
    serves io_uring "$BENEATH" "$SHARED/$1"
}

# The same profile without the three calls is what container engines have: what is said there.
profile_without() {
    ready
    python3 - "$SHARED/seccomp-io_uring.json" > without.json << 'END'
import json, sys
profile = json.load(open(sys.argv[1]))
profile["syscalls"] = [rule for rule in profile["syscalls"] if "io_uring_setup" not in rule["names"]]
profile["defaultErrnoRet"] = 38
json.dump(profile, sys.stdout)
END
    doctor "$BENEATH" without.json
    reports flat 'A system call filter forbids io_uring; the kernel is not the reason' 'as if the kernel were too old' \
        'The library uses threads here' || return 1
    serves 'worker threads' "$BENEATH" without.json
}

# members SET: the calls of one of systemd's sets.
members() {
    local word
    systemd-analyze syscall-filter "$1" | sed -n 's/^    \([^#].*\)/\1/p' | while read -r word; do
        case $word in @*) members "$word" ;; *) echo "$word" ;; esac
    done
}

# What systemd allows services, and ends them for if they go beyond: with the three calls and without.
systemd_sets() {
    ready
    command -v systemd-analyze > /dev/null || skip "no systemd-analyze"
    members @system-service | sort -u > service
    grep -qx io_uring_setup service || skip "this systemd's @system-service has no io_uring"
    local all less
    all=$(paste -sd , service)
    less=$(grep -v io_uring service | paste -sd ,)
    doctor "$BENEATH" --names "$all" kill
    reports flat 'io_uring can be used here' 'The library uses io_uring here' || return 1
    serves io_uring "$BENEATH" --names "$all" kill || return 1
    doctor "$BENEATH" --names "$less" kill
    reports flat 'A system call filter ends every process that uses io_uring' 'SIGSYS' 'The library uses threads here' || return 1
    serves 'worker threads' "$BENEATH" --names "$less" kill
}

drop_in_file() {
    ready
    command -v systemd-analyze > /dev/null || skip "no systemd-analyze"
    { cat "$SHARED/systemd.conf"; echo ExecStart=/bin/true; } > example.service
    systemd-analyze verify ./example.service > said 2>&1
    ! grep -i -e unknown -e 'failed to parse' -e invalid said
}

# in_podman OPTION… COMMAND…: in a container, by the runtime that "${engine[@]}" names.
in_podman() {
    timeout "$LIMIT" podman "${engine[@]}" run --rm --network none --ulimit nofile=1024:1024 --ulimit nproc=1000:1000 \
        "$@"
}

podman_profile() {
    ready
    command -v podman > /dev/null || skip "no podman"
    local file engine=() root=$PWD/root
    mkdir -p "$root"/{proc,sys,dev,tmp,etc,run,opt/bin}
    cp "$URINGAIO" root/opt/bin/uringaio
    cp "$LIBRARY" root/opt/liburingaio.so.1
    # shellcheck disable=SC2046 # one word for each file
    for file in $(ldd "$URINGAIO" "$LIBRARY" | sed -n 's/.*[ \t]\(\/[^ ]*\) (0x.*/\1/p' | sort -u); do
        mkdir -p "root$(dirname "$file")"
        cp -L "$file" "root$file"
    done
    in_podman --rootfs "$root" /opt/bin/uringaio --version > /dev/null 2> err || {
        engine=(--runtime runc)
        in_podman --rootfs "$root" /opt/bin/uringaio --version > /dev/null 2> err || skip "podman runs nothing here: $(tail -n 1 err)"
    }
    in_podman --rootfs "$root" /opt/bin/uringaio doctor --library /opt/liburingaio.so.1 | tr -s ' \n' ' ' > flat
    reports flat 'of this Podman container' 'The library uses threads here' \
        'podman run --security-opt seccomp=/opt/share/uringaio/sandbox/seccomp-io_uring.json' || return 1
    for file in seccomp-io_uring.json seccomp-narrow.json; do
        in_podman --security-opt "seccomp=$SHARED/$file" --rootfs "$root" /opt/bin/uringaio doctor --library /opt/liburingaio.so.1 |
            tr -s ' \n' ' ' > flat
        reports flat 'io_uring can be used here' 'The library uses io_uring here' || return 1
    done
}

# A list of operations without fsync (Linux 7.0; before, a supervisor lays it onto each ring).
list_of_operations() {
    ready
    local restrict
    restrict=$(helper c-tests/support/restrict.c) || return 1
    "$restrict" 23 true || skip "no list can be set here"
    doctor "$restrict" 1,2,14,22,23,51
    reports flat 'io_uring can be used here' 'a list of the io_uring operations that it may use' \
        'The library uses io_uring here, as far as it is allowed' 'denies this process: IORING_OP_FSYNC' || return 1
    doctor "$restrict" 22
    reports flat 'The library uses threads here' 'does not allow IORING_OP_WRITE'
}

# What the pod's specification and the image's refer to is there.
examples() {
    [ -z "$SYSTEM" ] || skip "nothing to run"
    local name
    # shellcheck disable=SC2013 # names without spaces
    for name in $(grep -ho 'seccomp-[a-z_]*\.json' "$SHARED/kubernetes-pod.yaml" "$SHARED/Dockerfile" | sort -u); do
        [ -s "$SHARED/$name" ] || fail "there is no $name"
    done
}

check "the profile that adds io_uring" command profile seccomp-io_uring.json
check "the narrow profile" command profile seccomp-narrow.json
check "the profile without io_uring" command profile_without
check "systemd's sets of calls" command systemd_sets
check "the drop-in of a unit" command drop_in_file
check "podman" command podman_profile
check "a list of operations" command list_of_operations
check "examples" command examples
