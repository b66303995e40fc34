#!/bin/bash
# The exported (name, version) sets: libaio.so.1's is Debian's, liburingaio.so's is the list kept here.
# A symbol under a wrong version, or without one, does not interpose and says nothing: only the set itself shows it.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
requires readelf

LISTS=$TOP/programs/symbols
COMMAND=$TOP/target/release/uringaio
# The drop-in by the SONAME of Debian 13 and Ubuntu 24.04.
DROP_IN_T64=${URINGAIO_DROP_IN_T64:-$TOP/target/libaio-t64/libaio.so.1t64}

# name@version for a version that must be asked for, name@@version for a default one, the bare name without versions;
# the nodes of the version script themselves (type OBJECT, absolute) are left out.
exported() {
    readelf --dyn-syms --wide "$1" |
        awk '$7 != "UND" && $7 != "ABS" && ($5 == "GLOBAL" || $5 == "WEAK") && NF >= 8 { print $8 }' | sort
}

soname() { readelf -d "$1" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p'; }

original() { ldconfig -p | sed -n 's/^.*libaio\.so\.1\(t64\)\? .*x86-64.* => //p' | head -n 1; }

same_as_list() {
    exported "$1" > now
    diff -u "$LISTS/$2" now || { echo "FAILED: the exported symbols differ from $2"; return 1; }
}

same_as_original() {
    local debian
    debian=$(original)
    [ -n "$debian" ] || skip "libaio is not installed"
    exported "$debian" > theirs
    exported "$DROP_IN" > ours
    diff -u theirs ours
}

abi_of_original() {
    local debian status ours=$DROP_IN
    command -v abidiff > /dev/null || skip "abidiff is not installed"
    debian=$(original)
    [ -n "$debian" ] || skip "libaio is not installed"
    [ "$(soname "$debian")" != libaio.so.1t64 ] || [ -n "$SYSTEM" ] || ours=$DROP_IN_T64
    [ -e "$ours" ] || fail "$ours is missing; run make drop-in-t64"
    # Neither side describes types in DWARF: what is compared is symbols, versions, sizes and the SONAME.
    # 1 and 2 are abidiff's own errors, 4 a change, 8 an incompatible change.
    abidiff --no-show-locs "$debian" "$ours"
    status=$?
    [ $((status & 15)) -eq 0 ]
}

# abi_of_baseline FILE NAME: with the baseline that is kept here, written anew by UPDATE=1. Without debug information, which
# would only name the compiler.
abi_of_baseline() {
    command -v abidiff > /dev/null || skip "abidiff is not installed"
    objcopy --strip-debug "$1" stripped || return 1
    if [ -n "${UPDATE:-}" ]; then
        abidw --no-corpus-path --no-comp-dir-path --no-show-locs --out-file "$LISTS/$2.abi" stripped || return 1
    fi
    # What is added shows in the comparison with the list.
    abidiff --no-added-syms --no-show-locs "$LISTS/$2.abi" stripped
}

sonames() {
    [ "$(soname "$LIBRARY")" = liburingaio.so.1 ] && [ "$(soname "$DROP_IN")" = libaio.so.1 ] || return 1
    local file
    for file in "$LIBRARY" "$DROP_IN"; do
        readelf -d "$file" | grep -q 'NODELETE' || { echo "FAILED: $file may be unloaded"; return 1; }
    done
}

# The linker's protections: see checksec(7) of any distribution, or lintian's hardening tags.
hardened() {
    local file
    for file in "$LIBRARY" "$DROP_IN" "$DROP_IN_T64" "$COMMAND"; do
        readelf -dlW "$file" > headers || fail "$file cannot be read"
        grep -q 'GNU_RELRO' headers && grep -q 'BIND_NOW' headers || fail "$file: its tables stay writable (no full RELRO)"
        grep -q 'GNU_STACK.* RW ' headers || fail "$file wants an executable stack"
        ! grep -q 'TEXTREL' headers || fail "$file has text relocations"
        ! grep -qE 'LOAD .*WE ' headers || fail "$file has memory both writable and executable"
        ! grep -qE 'R(UN)?PATH' headers || fail "$file names directories for its libraries"
    done
    readelf -hW "$COMMAND" | grep -q 'Type:.*DYN' || fail "$COMMAND is at a fixed address"
}

if [ -n "$SYSTEM" ]; then DROP_IN=$(original); fi
check "libaio.so.1 against the list" drop-in same_as_list "$DROP_IN" libaio.so.1
check "libaio.so.1 against the installed libaio" drop-in same_as_original
check "libaio.so.1 against the installed libaio by abidiff" drop-in abi_of_original
if [ -z "$SYSTEM" ]; then
    check "liburingaio.so against the list" preload same_as_list "$LIBRARY" liburingaio.so.1
    check "liburingaio.so against its ABI baseline" preload abi_of_baseline "$LIBRARY" liburingaio.so.1
    check "libaio.so.1 against its ABI baseline" drop-in abi_of_baseline "$DROP_IN" libaio.so.1
    check "names, no unloading" both sonames
    check "full RELRO, no executable stack, no text relocations" all hardened
fi
