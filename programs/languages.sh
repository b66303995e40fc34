#!/bin/bash
# The examples in other languages (docs/languages.md): each adds up the bytes of a file, which must come out right, and its
# calls must have gone to uringaio.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

LIMIT=300
EXAMPLES=$TOP/examples

# What is added up, and what must come out.
summed_file() {
    head -c 1234567 /dev/urandom > from
    EXPECTED="1234567 bytes, sum $(od -An -v -tu1 from | awk '{ for (i = 1; i <= NF; i++) sum += $i } END { printf "%.0f", sum }')"
}

# adds_up INTERFACE COMMAND…: the sum is right, and the library's summary counts operations of the interface.
adds_up() {
    local interface=$1
    local -a set under
    shift
    to_our_file
    timeout -k 10 "$LIMIT" env "${set[@]}" URINGAIO_STATS=1 "$@" > out 2> err || { cat out err; return 1; }
    cat out err
    grep -qxF "$EXPECTED" out || fail "the sum is not $EXPECTED"
    [ "$ROUTE" = system ] || grep -Eq "^uringaio: process .*$interface [1-9]" err || fail "the library served nothing"
}

cplusplus() {
    command -v g++ > /dev/null || skip "g++ is not installed"
    summed_file
    g++ -std=c++17 -O2 -Wall -Wextra -Werror -o sum "$EXAMPLES/cplusplus/sum.cc" || return 1
    adds_up POSIX ./sum from
}

# built_by_cargo NAME: the path of a program of examples/rust, in `built`. Nothing is fetched: building this project has
# brought the crate libc.
built_by_cargo() {
    local target=$TOP/target/programs/rust${URINGAIO_LINK:+-linked}
    cp -r "$EXAMPLES/rust" . && cargo build --quiet --offline --manifest-path rust/Cargo.toml --target-dir "$target" --bin "$1" &&
        cp "$target/debug/$1" built
}

rust() {
    command -v cargo > /dev/null || skip "cargo is not installed"
    summed_file
    case $1 in
        posix) built_by_cargo posix && adds_up POSIX ./built from ;;
        libaio) built_by_cargo libaio && adds_up libaio ./built from ;;
    esac
}

rust_linked() {
    command -v cargo > /dev/null || skip "cargo is not installed"
    command -v pkg-config > /dev/null || skip "pkg-config is not installed"
    [ -z "$SYSTEM" ] || skip "on the system's own AIO nothing is installed"
    summed_file
    make -s -C "$TOP" install PREFIX="$WORK/prefix" > log 2>&1 || { cat log; return 1; }
    export PKG_CONFIG_PATH=$WORK/prefix/lib/pkgconfig URINGAIO_LINK=1 URINGAIO_STATS=1
    built_by_cargo posix || return 1
    LD_LIBRARY_PATH=$WORK/prefix/lib timeout "$LIMIT" ./built from > out 2> err || return 1
    grep -qxF "$EXPECTED" out && grep -Eq '^uringaio: process .*POSIX [1-9]' err
}

python() {
    python3 -c 'import caio.linux_aio' 2> /dev/null || skip "Python has no caio"
    summed_file
    adds_up libaio python3 "$EXAMPLES/python/sum.py" from
}

java_native() {
    local home
    command -v javac > /dev/null || skip "no Java compiler is installed"
    home=$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")
    [ -e /usr/include/libaio.h ] || skip "libaio-dev is not installed"
    summed_file
    "${CC:-cc}" -shared -fPIC -O2 -Wall -Wextra -Werror -I"$home/include" -I"$home/include/linux" -o libsum.so \
        "$EXAMPLES/java/sum.c" -laio && javac -d . "$EXAMPLES/java/Sum.java" || return 1
    adds_up libaio java -Xshare:auto -Xmx64m Sum from
}

nginx_aio() {
    local nginx=${URINGAIO_NGINX:-nginx} log=$WORK/log master
    command -v "$nginx" > /dev/null || skip "nginx is not installed"
    "$nginx" -V 2>&1 | grep -q -e --with-file-aio || skip "this nginx was built without --with-file-aio"
    command -v curl > /dev/null || skip "curl is not installed"
    local port
    port=$(free_port) || return 1
    mkdir files && head -c 8M /dev/urandom > files/large
    sed "s/:8008/:$port/" "$EXAMPLES/nginx/nginx.conf" > nginx.conf
    URINGAIO_STATS=1 serve "$log" "$nginx" -g "user $(id -un) $(id -gn);" -p "$WORK/" -c "$WORK/nginx.conf"
    master=$SERVER
    await curl -sf -o /dev/null "http://127.0.0.1:$port/large" || { cat "$log"; return 1; }
    curl -sf "http://127.0.0.1:$port/large" | cmp - files/large || return 1
    kill -QUIT "$master" && ended "$master" || { cat "$log"; return 1; }
    cat "$log"
    [ "$ROUTE" = system ] || grep -Eq '^uringaio: process .*libaio [1-9]' "$log" || fail "the library served nothing"
}

check "C++, futures of POSIX AIO" preload cplusplus
check "Rust, POSIX AIO of the crate libc" preload rust posix
check "Rust, io_submit by its number" raw rust libaio
check "Rust, linked with the library" link rust_linked
check "Python, caio" raw python
check "Java, a native library on libaio" "preload drop-in" java_native
check "nginx, aio on" raw nginx_aio
