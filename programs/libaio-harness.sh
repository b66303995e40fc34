#!/bin/bash
# libaio's own test harness, case by case: each case that passes on the kernel's AIO must pass on ours.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
requires "${CC:-cc}" tar

# The source is $LIBAIO_SOURCE, or what `apt-get source libaio` gives with the package sources that this system has.
# It is unpacked, built and judged on the kernel once; the outcome is kept below target/.
KEPT=$TOP/target/programs/libaio-harness
LIMIT=${URINGAIO_TEST_LIMIT:-300} # case 18 runs a hundred threads for half a minute

# A private list of package sources: the system's own, with deb-src in place of deb.
source_lists() {
    local file
    mkdir -p "$1/parts" "$1/lists/partial"
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        if [ -r "$file" ]; then sed -n 's/^deb\(-src\)\? /deb-src /p' "$file" > "$1/parts/$(basename "$file" .list).list"; fi
    done
    for file in /etc/apt/sources.list.d/*.sources; do
        if [ -r "$file" ]; then sed 's/^Types:.*/Types: deb-src/' "$file" > "$1/parts/$(basename "$file")"; fi
    done
}

fetched() {
    local apt=$KEPT/apt archive
    if [ -n "${LIBAIO_SOURCE:-}" ]; then ln -sfn "$LIBAIO_SOURCE" "$KEPT/source"; fi
    if [ -d "$KEPT/source" ]; then return; fi
    command -v apt-get || return 1
    source_lists "$apt"
    local options=(-o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$apt/parts" -o "Dir::State::Lists=$apt/lists"
        -o APT::Sandbox::User=root -o Acquire::Retries=2)
    timeout 120 apt-get "${options[@]}" update || true # one list of several may be out of reach
    # Upstream's archive alone: neither the packaging nor dpkg-dev is needed.
    (cd "$KEPT" && timeout 120 apt-get "${options[@]}" source --download-only --tar-only libaio) || return 1
    rm -rf "$apt" "$KEPT/unpacking"
    archive=$(find "$KEPT" -maxdepth 1 -name 'libaio_*.orig.tar.*' ! -name '*.asc' | head -n 1)
    [ -n "$archive" ] && mkdir "$KEPT/unpacking" && tar -xf "$archive" -C "$KEPT/unpacking" --strip-components 1 &&
        mv "$KEPT/unpacking" "$KEPT/source"
}

have_source() {
    mkdir -p "$KEPT"
    # Tried once in a run, not once for each case.
    if [ -e "$SCRATCH/no-source" ] || ! fetched > "$KEPT/fetch.log" 2>&1; then
        : > "$SCRATCH/no-source"
        tail -n 3 "$KEPT/fetch.log"
        skip "libaio's source cannot be had here"
    fi
    [ -e "$KEPT/source/harness/main.c" ] || skip "libaio's source has no harness"
}

built() {
    [ -x "$KEPT/$1.p" ] ||
        "${CC:-cc}" -g -O2 -w -I"$KEPT/source/src" -DTEST_NAME="\"cases/$1.t\"" -o "$KEPT/$1.p" \
            "$KEPT/source/harness/main.c" -laio -lpthread ||
        skip "the case does not compile, or there is no -laio"
}

# run_case CASE COMMAND…: in a directory set up as the harness's Makefile does. Status 3 is a case's own "skipped".
run_case() {
    local program=$KEPT/$1.p file case=$1
    shift
    rm -rf testdir testdir.ext2 testdir.enospc
    mkdir testdir testdir.ext2 testdir.enospc
    for file in rofile rwfile wofile; do echo test > "testdir/$file"; done
    chmod 400 testdir/rofile
    chmod 200 testdir/wofile
    chmod 600 testdir/rwfile
    if [ "$case" = 10 ]; then
        # shellcheck disable=SC2016 # for the inner shell: a file system of the size that the case expects
        "$@" unshare -m sh -c 'mount -t tmpfs -o size=65536 none testdir.enospc && exec "$1"' sh "$program"
    else
        "$@" "$program"
    fi
}

# Case 20 wants all of aio-max-nr for itself, and the kernel gives back what others had a moment after they have ended.
alone() {
    local until=$((SECONDS + 30))
    until [ "$(cat /proc/sys/fs/aio-nr)" = 0 ]; do
        [ "$SECONDS" -lt "$until" ] || return 1
        sleep 0.1
    done
}

# Does the case pass on the kernel's own AIO? Found out once.
reference() {
    [ ! -e "$KEPT/$1.passes" ] || return 0
    if [ "$1" = 20 ] && ! alone; then skip "others use the kernel's AIO at this time"; fi
    run_case "$1" timeout -k 10 "$LIMIT" > "$KEPT/$1.log" 2>&1 || return 1
    : > "$KEPT/$1.passes"
}

harness() {
    have_source
    [ -e "$KEPT/source/harness/cases/$1.t" ] || skip "this libaio has no such case"
    built "$1"
    reference "$1" || skip "the kernel's own AIO does not pass it here: $(tail -n 1 "$KEPT/$1.log")"
    # Bound at the start: case 7 allows itself no file of more than a few bytes, the record of bindings neither.
    LD_BIND_NOW=1 run_case "$1" ours || fail "status $?; the kernel's own AIO passes"
}

#  2 bad io_setup         3 bad io_submit        4 permissions, O_APPEND   5 from a mapping of the same file
#  6 huge requests        7 RLIMIT_FSIZE         8 the largest file       10 a full file system
# 11 same page again     12 fork                13 many large writes      14 huge reads in many processes
# 15 vectors             16 eventfd             17 two contexts, threads  18 io_destroy in 100 threads
# 19 the ring remapped   20 aio-max-nr          21 RWF_NOWAIT             22 poll, io_pgetevents   23 poll and splice
PROOF=(io_submit)
for case in 3 4 5 6 7 8 10 11 12 13 14 15 16 17 18 19 21 22 23; do
    check "case $case" "preload drop-in" harness "$case"
done
PROOF=(io_setup)
for case in 2 20; do
    check "case $case" "preload drop-in" harness "$case"
done
