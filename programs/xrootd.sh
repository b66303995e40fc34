#!/bin/bash
# xrdcp: local files by POSIX AIO with callbacks, sent to and fetched from a server on this machine.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
requires xrdcp xrootd

# Started once for the script, on the system's own AIO: the client is what is looked at.
server() {
    local port user=()
    mkdir -p "$SCRATCH/server/files/both" "$SCRATCH/server/admin"
    port=$(free_port) || return 1
    cat > "$SCRATCH/server/config" << END
all.export /
oss.localroot $SCRATCH/server/files
all.adminpath $SCRATCH/server/admin
all.pidpath $SCRATCH/server/admin
xrd.port $port
xrd.network nodnr
END
    if [ "$(id -u)" = 0 ]; then
        user=(-R nobody)
        chmod 755 "$SCRATCH"
        chown -R nobody "$SCRATCH/server"
    fi
    xrootd -c "$SCRATCH/server/config" "${user[@]}" > "$SCRATCH/server.log" 2>&1 < /dev/null &
    SERVER=$!
    started "$SERVER"
    URL=root://127.0.0.1:$port/
    runs() { kill -0 "$SERVER" 2> /dev/null; }
    ready() { grep -q 'initialization completed' "$SCRATCH/server.log" && xrdfs "$URL" stat / > /dev/null 2>&1; }
    ready_or_ended() { ready || ! runs; }
    if await ready_or_ended && runs; then return; fi
    cat "$SCRATCH/server.log"
    # XRootD 5.5 asks for that at its start (later ones do without).
    if grep -q 'Unable to determine host name' "$SCRATCH/server.log"; then
        MISSING=" an address of $(uname -n), this machine, in /etc/hosts"
        return
    fi
    return 1
}

there_and_back() {
    head -c "$1" /dev/urandom > file
    ours xrdcp --nopbar --force "${@:2}" file "$URL/file.$$" || return 1
    cmp file "$SCRATCH/server/files/file.$$" || return 1
    ours xrdcp --nopbar --force "${@:2}" "$URL/file.$$" back || return 1
    cmp file back
}

two_at_once() {
    head -c 20000001 /dev/urandom > one
    head -c 30000003 /dev/urandom > two
    ours xrdcp --nopbar --force --parallel 2 one two "$URL/both" || return 1
    cmp one "$SCRATCH/server/files/both/one" && cmp two "$SCRATCH/server/files/both/two"
}

if [ -z "$MISSING" ] && ! server; then
    verdict failed "the server starts"
    exit 1
fi

PROOF=('aio_read(64)?' 'aio_write(64)?' 'aio_return(64)?')
check "48 MiB there and back" preload there_and_back 48M
check "an odd length there and back" preload there_and_back 10000019
check "one byte there and back" preload there_and_back 1
PROOF=('aio_read(64)?')
check "two files at once" preload two_at_once

PROOF=()
seen() {
    head -c 4M /dev/urandom > file
    counted xrdcp --nopbar --force file "$URL/seen.$$"
}
check "operations counted" preload seen
