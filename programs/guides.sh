#!/bin/bash
# The README and the guides, run as they stand: every `sh` block of a page, in order, in an empty directory, on an installed tree.
# Comments before a block: `file: NAME` writes it to a file, `not run: WHY` leaves it out, `needs: COMMAND…` leaves it out
# where a command is not installed. /usr/local stands for the place of the installation.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
requires make pkg-config fio

LIMIT=300
PREFIX=$SCRATCH/prefix

install_once() {
    [ -z "$SYSTEM" ] || skip "on the system's own AIO nothing is installed"
    [ -e "$PREFIX/bin/uringaio" ] || make -s -C "$TOP" install PREFIX="$PREFIX" > "$SCRATCH/install.log" 2>&1 ||
        { cat "$SCRATCH/install.log"; return 1; }
    export PKG_CONFIG_PATH=$PREFIX/lib/pkgconfig PATH=$PREFIX/bin:$PATH LD_LIBRARY_PATH=$PREFIX/lib
}

# The blocks of a page as one script. A block that is left out for want of a command is said to be.
script_of() {
    awk -v prefix="$PREFIX" '
        function quoted(text) { gsub("\047", "\047\\\047\047", text); return "\047" text "\047" }
        /^<!-- .* -->$/ { note = $0; sub(/^<!-- /, "", note); sub(/ -->$/, "", note); next }
        /^```/ && !inside {
            inside = 1; shell = ($0 == "```sh"); file = ""; out = ""
            if (note ~ /^file: /) { file = substr(note, 7); print "cat > " file " << \047END OF FILE\047" }
            else if (shell && note !~ /^not run: /) {
                out = 1
                if (note ~ /^needs: /) {
                    print "if ! command -v " substr(note, 8) " > /dev/null; then echo \"left out, needs " substr(note, 8) "\"; else"
                    out = 2
                }
                print "echo \"== block at line " NR "\""
            }
            note = ""; next
        }
        /^```$/ && inside {
            if (file != "") print "END OF FILE"
            if (out == 2) print "fi"
            inside = 0; out = ""; file = ""; next
        }
        inside && (file != "" || out) { gsub("/usr/local", prefix); print }
        !inside && NF { note = "" }
    ' "$1"
}

page() {
    install_once || return 1
    local script=$SCRATCH/page.sh
    { echo 'set -euo pipefail; trap "kill -KILL \$(jobs -p) 2> /dev/null || true" EXIT'; script_of "$TOP/$1"; } > "$script"
    grep -q '== block' "$script" || fail "there is nothing to run on this page"
    timeout -k 10 "$LIMIT" bash "$script"
}

summed_file() {
    head -c 1234567 /dev/urandom > from
    SUM=$(od -An -v -tu1 from | awk '{ for (i = 1; i <= NF; i++) sum += $i } END { printf "%.0f", sum }')
}

adds_up() { timeout "$LIMIT" "build/$1" from | tee out && grep -qx "1234567 bytes, sum $SUM" out; }

examples() {
    install_once || return 1
    cp "$TOP"/examples/* .
    case $1 in
        make) make && mkdir build && mv copy checksum counters epoll build/ ;;
        cmake) command -v cmake || skip "cmake is not installed"; cmake -S . -B build && cmake --build build ;;
        meson) command -v meson || skip "meson is not installed"; meson setup build && meson compile -C build ;;
    esac || return 1
    summed_file
    LD_DEBUG=bindings LD_DEBUG_OUTPUT=record timeout "$LIMIT" build/copy from to || return 1
    cmp from to || return 1
    grep -Eqs "to $PREFIX/lib/liburingaio.so.1 \[0\]: normal symbol .aio_read(64)?'" record.* || fail "copy was not ours"
    adds_up checksum && adds_up epoll || return 1
    timeout "$LIMIT" build/counters from | tee out && grep -q ': 1 submitted' out
}

libuv_example() {
    pkg-config --exists libuv || skip "libuv1-dev is not installed"
    install_once || return 1
    cp "$TOP"/examples/{Makefile,libuv.c} . && make libuv && mkdir build && mv libuv build/ || return 1
    summed_file
    URINGAIO_STATS=1 adds_up libuv 2> err || { cat err; return 1; }
    grep -Eq '^uringaio: process .*POSIX [1-9]' err || fail "the library served nothing"
}

check "README" guide page README.md
check "a legacy program" guide page docs/guide-preload.md
check "fio, QEMU, MariaDB" guide page docs/guide-programs.md
check "linking from C" guide page docs/guide-linking.md
check "watching programs" guide page docs/monitoring.md
check "what the system's AIO does not do" guide page docs/compare.md
check "examples by make" examples examples make
check "examples by CMake" examples examples cmake
check "examples by Meson" examples examples meson
check "examples by make, with libuv" examples libuv_example
