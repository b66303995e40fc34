#!/bin/bash
# make install: programs compiled through pkg-config against our headers, shared and static, run on what was installed.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
requires make pkg-config perl readelf nm strip

# The installed tree for all checks: made once.
PREFIX=$SCRATCH/prefix
CC=${CC:-cc}

install_once() {
    [ -z "$SYSTEM" ] || skip "on the system's own AIO nothing is installed"
    [ -e "$PREFIX" ] || make -s -C "$TOP" install PREFIX="$PREFIX" > "$SCRATCH/install.log" 2>&1 ||
        { cat "$SCRATCH/install.log"; rm -rf "$PREFIX"; return 1; }
    export PKG_CONFIG_PATH=$PREFIX/lib/pkgconfig
}

# compiled SOURCE [-static]: against the installed headers alone; the demo's sources check every block that they read.
compiled() {
    local source=$1 flags
    shift
    flags=$(pkg-config --cflags --libs ${1:+-$1} uringaio) || return 1
    # shellcheck disable=SC2086 # the flags are words
    $CC "$@" -O2 -Wall -Werror -D_GNU_SOURCE -o program "$source" $flags
}

numbered_file() { # each 4 KiB block begins with its number
    perl -e 'print pack("Q<", $_), "\0" x 4088 for 0 .. 1023' > file
}

linked() {
    install_once || return 1
    compiled "$TOP/demo/$1.c" || return 1
    numbered_file
    readelf -d program | grep -F 'NEEDED' | grep -F 'liburingaio.so.1' || return 1
    ! readelf -d program | grep -F 'libaio.so' || return 1
    LD_LIBRARY_PATH=$PREFIX/lib LD_DEBUG=bindings LD_DEBUG_OUTPUT=record timeout "$LIMIT" ./program file 0.3 direct || return 1
    grep -Eq "to $PREFIX/lib/liburingaio.so.1 \[0\]: normal symbol .$2'" record.*
}

static() {
    install_once || return 1
    local flags
    flags=$(pkg-config --static --cflags --libs uringaio) || return 1
    flags=${flags//-luringaio/-l:liburingaio.a}
    # shellcheck disable=SC2086 # the flags are words
    $CC -O2 -Wall -Werror -D_GNU_SOURCE -o program "$TOP/demo/$1.c" $flags || return 1
    numbered_file
    ! readelf -d program | grep -F 'NEEDED' | grep -F -e liburingaio -e libaio || return 1
    nm program | grep -E " T $2\$" || return 1
    timeout "$LIMIT" ./program file 0.3 direct
}

# No shared library at all: the linker takes the archive by the name that pkg-config gives.
entirely_static() {
    install_once || return 1
    compiled "$TOP/demo/$1.c" -static || return 1
    numbered_file
    ! readelf -d program | grep -F 'NEEDED' && nm program | grep -E " T $2\$" || return 1
    timeout "$LIMIT" ./program file 0.3 direct
}

# There the library finds no functions of the C library's behind its own.
interposed_statically() {
    install_once || return 1
    $CC -O2 -Wall -Werror -D_GNU_SOURCE -o original "$TOP/programs/support/interposed.c" && ./original kept > expected || return 1
    compiled "$TOP/programs/support/interposed.c" -static && nm program | grep -E " T setrlimit$" || return 1
    ./program kept > got || return 1
    diff expected got
}

# find_package(uringaio): both targets, from a project in C and C++; a version that is not there is refused.
by_cmake() {
    install_once || return 1
    command -v cmake > /dev/null || skip "cmake is not installed"
    numbered_file
    cat > CMakeLists.txt << END || return 1
cmake_minimum_required(VERSION 3.16)
project(example C CXX)
find_package(uringaio \${WANTED} REQUIRED)
add_executable(program "$TOP/demo/posix.c" other.cc)
target_compile_definitions(program PRIVATE _GNU_SOURCE)
target_link_libraries(program PRIVATE uringaio::$1)
END
    printf '#include <cstdlib>\n#include <libaio.h>\n#include <uringaio.h>\nextern const char *const is = uringaio_version();\n' > other.cc
    ! cmake -S . -B wrong -DCMAKE_PREFIX_PATH="$PREFIX" -DWANTED=99 || fail "version 99 was found"
    cmake -S . -B build -DCMAKE_PREFIX_PATH="$PREFIX" -DWANTED=0.1 && cmake --build build || return 1
    if [ "$1" = static ]; then
        ! readelf -d build/program | grep -F 'NEEDED' | grep -F uringaio || return 1
    else
        readelf -d build/program | grep -F 'NEEDED' | grep -F liburingaio.so.1 || return 1
    fi
    timeout "$LIMIT" build/program file 0.3 direct
}

drop_in() {
    install_once || return 1
    local name
    for name in libaio.so.1 libaio.so.1t64; do
        [ "$(readelf -d "$PREFIX/lib/uringaio/$name" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')" = "$name" ] || return 1
    done
    # A program linked against libaio.so.1 runs on the installed drop-in.
    $CC -O2 -D_GNU_SOURCE -I"$PREFIX/include/uringaio" -o program "$TOP/demo/libaio.c" "$PREFIX/lib/uringaio/libaio.so.1" ||
        return 1
    numbered_file
    LD_LIBRARY_PATH=$PREFIX/lib/uringaio timeout "$LIMIT" ./program file 0.3 direct
}

header_is_c_and_cplusplus() {
    install_once || return 1
    local language flags
    flags=$(pkg-config --cflags uringaio) || return 1
    for language in c c++; do
        # shellcheck disable=SC2086 # the flags are words
        printf '#include <libaio.h>\n#include <uringaio.h>\n#include <aio.h>\nint main(void) { return 0; }\n' |
            $CC -x "$language" -Wall -Wextra -Werror -pedantic -fsyntax-only $flags - || return 1
    done
}

# What configure and the preprocessor find, for programs that were written for FreeBSD: a function by linking a call of it
# without a prototype, a macro after <aio.h> alone.
found_by_configure() {
    install_once || return 1
    local name flags
    flags=$(pkg-config --cflags --libs uringaio) || return 1
    for name in aio_readv aio_writev aio_waitcomplete uringaio_deadline; do
        printf 'char %s(void);\nint main(void) { return %s(); }\n' "$name" "$name" > conftest.c
        # shellcheck disable=SC2086 # the flags are words
        $CC -o conftest conftest.c $flags || { echo "FAILED: $name is not found"; return 1; }
        ! $CC -o conftest conftest.c 2> /dev/null || { echo "the C library has $name by now"; return 1; }
    done
    for name in LIO_READV LIO_WRITEV aio_iov aio_iovcnt URINGAIO_HAS_AIO_READV URINGAIO_HAS_AIO_WAITCOMPLETE SIGEV_EVENTFD; do
        printf '#include <aio.h>\n#ifndef %s\n#error not defined\n#endif\nint main(void) { return 0; }\n' "$name" > conftest.c
        # shellcheck disable=SC2086 # the flags are words
        $CC -o conftest conftest.c $flags || { echo "FAILED: $name is not found"; return 1; }
    done
}

staged() {
    [ -z "$SYSTEM" ] || skip "on the system's own AIO nothing is installed"
    make -s -C "$TOP" install DESTDIR="$WORK/stage" PREFIX=/usr LIBDIR=/usr/lib/odd > log 2>&1 || { cat log; return 1; }
    [ -e stage/usr/lib/odd/liburingaio.so.1 ] && [ -e stage/usr/lib/odd/uringaio/libaio.so.1 ] || return 1
    ! grep -F "$WORK" stage/usr/lib/odd/pkgconfig/uringaio.pc || return 1
    grep -F '@' stage/usr/lib/odd/pkgconfig/uringaio.pc && return 1
    make -s -C "$TOP" uninstall DESTDIR="$WORK/stage" PREFIX=/usr LIBDIR=/usr/lib/odd || return 1
    # Of a place that is not the system's own no folder is left either.
    make -s -C "$TOP" install DESTDIR="$WORK/stage" PREFIX=/opt/uringaio > log 2>&1 || { cat log; return 1; }
    make -s -C "$TOP" uninstall DESTDIR="$WORK/stage" PREFIX=/opt/uringaio || return 1
    [ -z "$(find stage -mindepth 1)" ] || { find stage -mindepth 1; return 1; }
}

# A library directory that is not beside the command's: the loader knows it.
found_by_the_loader() {
    install_once || return 1
    mkdir bin && cp "$PREFIX/bin/uringaio" bin/
    LD_LIBRARY_PATH=$PREFIX/lib timeout "$LIMIT" bin/uringaio doctor | grep -F "$PREFIX/lib/liburingaio.so.1" || return 1
    LD_LIBRARY_PATH=$PREFIX/lib timeout "$LIMIT" bin/uringaio doctor | grep -F "$PREFIX/lib/uringaio"
}

# A distribution strips what it ships; the probes and the note by which stat finds the counters stay.
stripped() {
    install_once || return 1
    local file probe
    for file in "$PREFIX/lib/liburingaio.so.1" "$PREFIX/lib/uringaio/libaio.so.1"; do
        strip --strip-unneeded -o library "$file" && readelf -n library > notes || return 1
        for probe in submit complete; do
            grep -A1 'Provider: uringaio' notes | grep -q "Name: $probe" || fail "$file has no probe $probe"
        done
        grep -q '^ *uringaio .*0x00000008' notes || fail "$file has no note"
    done
}

# install-strip takes the debugging information away, and nothing that programs or the command use.
install_strip() {
    [ -z "$SYSTEM" ] || skip "on the system's own AIO nothing is installed"
    local file
    make -s -C "$TOP" install-strip PREFIX="$WORK/prefix" || return 1
    for file in bin/uringaio lib/liburingaio.so.1 lib/uringaio/libaio.so.1 lib/uringaio/libaio.so.1t64; do
        ! readelf -S "prefix/$file" | grep -F .debug_info || fail "$file has debugging information"
    done
    timeout "$LIMIT" prefix/bin/uringaio doctor | grep -F "$WORK/prefix/lib/liburingaio.so.1" || return 1
    timeout "$LIMIT" prefix/bin/uringaio run --stats -- true
}

# `make && sudo make install`: that root needs no cargo.
without_cargo() {
    install_once || return 1
    make -s -C "$TOP" install CARGO=/nowhere/cargo PREFIX="$WORK/prefix" && [ -x prefix/bin/uringaio ]
}

check "POSIX AIO linked by pkg-config" link linked posix aio_read
check "libaio linked by pkg-config" link linked libaio io_submit
check "POSIX AIO linked statically" static static posix aio_read
check "libaio linked statically" static static libaio io_submit
check "POSIX AIO linked entirely statically" static entirely_static posix aio_read
check "libaio linked entirely statically" static entirely_static libaio io_submit
check "what is interposed, linked entirely statically" static interposed_statically
check "find_package(uringaio), the shared library" cmake by_cmake uringaio
check "find_package(uringaio), the archive" cmake by_cmake static
check "the installed drop-in" drop-in drop_in
check "the headers compile as C and as C++" headers header_is_c_and_cplusplus
check "what configure finds" headers found_by_configure
check "install below DESTDIR, then uninstall" stage staged
check "the command finds the library by the loader" install found_by_the_loader
check "install needs no cargo" install without_cargo
check "install-strip" install install_strip
check "probes and note, stripped" install stripped
