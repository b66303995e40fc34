#!/bin/bash
# Wrong uses of the command `uringaio`: each message is in the manual page's table, and each line of that table is provoked here.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$TOP/programs/support/command.sh"
requires python3

# wrong N COMMAND…: ends with that status; its message is kept.
wrong() {
    status "$@" || exit 1
    # No words of the language that the command is written in.
    ! grep -F -e '(os error' -e 'not in ' -e 'invalid digit' err || exit 1
    printf '%s\t%s\n' "$1" "$(sed -n '1s/^uringaio: //p' err)" >> messages
}

# untried TEXT REASON: a message that cannot be provoked here.
untried() {
    printf '%s\n' "$1" >> untried
    echo "not provoked: $1 ($2)"
}

wrong_uses() {
    built || return 1
    : > messages
    : > untried
    wrong_words
    wrong_processes
    wrong_files
    wrong_libraries
    wrong_programs
    wrong_drop_in
    wrong_units
    python3 - "$TOP/man/support/messages.tsv" << 'END'
import re, sys
rows = [line.rstrip("\n").split("\t") for line in open(sys.argv[1])]
seen = [line.rstrip("\n").split("\t") for line in open("messages")]
untried = [line.rstrip("\n") for line in open("untried")]
def matches(row, line):
    words = r"\b(WORD|VALUE|OPTION|TEXT|FILE|WHY|ERROR|NAME|N)\b"
    pattern = re.sub(words, ".*", re.escape(row[1]))
    return row[0] == line[0] and re.match(pattern, line[1])
missing = [row[1] for row in rows if not any(matches(row, line) for line in seen) and row[1] not in untried]
unknown = [line for line in seen if not any(matches(row, line) for row in rows)]
assert not missing, f"nothing provokes {missing}"
assert not unknown, f"not in the table: {unknown}"
END
}

wrong_words() {
    status 2 "$URINGAIO" && grep -q 'Usage:' err || exit 1
    wrong 2 "$URINGAIO" frobnicate
    wrong 2 "$URINGAIO" help frobnicate
    wrong 2 "$URINGAIO" run --frobnicate true
    wrong 2 "$URINGAIO" stat 1 2
    wrong 2 "$URINGAIO" run --interface neither true
    wrong 2 "$URINGAIO" run --engine none true
    wrong 2 "$URINGAIO" stat abc && grep -q 'pgrep' err || exit 1
    wrong 2 "$URINGAIO" stat --interval 0 1
    wrong 2 "$URINGAIO" stat --count 0 1 && grep -q 'a number of intervals, 1 or more' err || exit 1
    wrong 2 "$URINGAIO" top --sort name
    wrong 2 "$URINGAIO" top --once -n 2
    wrong 2 "$URINGAIO" bench --rounds 0 && grep -q 'a whole number from 1 to 1000' err || exit 1
    wrong 2 "$URINGAIO" bench --size many
    wrong 2 "$URINGAIO" drop-in frobnicate
    wrong 2 "$URINGAIO" run --library
    wrong 2 "$URINGAIO" stat --all
    wrong 2 "$URINGAIO" stat --openmetrics --once 1
    for command in run stat drop-in enable disable; do wrong 2 "$URINGAIO" "$command"; done
    wrong 2 "$URINGAIO" stat --once --count 2 1
    wrong 2 "$URINGAIO" bench --only nothing --size 1 --report none.svg && [ ! -e none.svg ] || exit 1
    wrong 2 "$URINGAIO" bench --report report.txt
    wrong 2 "$URINGAIO" bench /dev/null
}

owned_by() { [ "$(stat -c %u "/proc/$2")" = "$1" ] && [ "$(cat "/proc/$2/comm")" = sleep ]; }

# A library whose note says that its counters have another layout.
wrong_version() {
    local process
    cat > version.c << 'END'
__asm__(".pushsection .note.uringaio,\"a\",%note\n.balign 4\n.long 9, 8, 1\n.asciz \"uringaio\"\n.balign 4\n"
        ".long 1000000, 0\n.popsection");
END
    c_compiler -shared -fPIC -o version.so version.c || exit 1
    LD_PRELOAD="$PWD/version.so" sleep 3000 &
    process=$!
    started "$process"
    await grep -q version.so "/proc/$process/maps" || exit 1
    wrong 1 "$URINGAIO" stat "$process"
    status 0 "$URINGAIO" top --once -d 0.05 && told 'on another version of uringaio' || exit 1
    status 0 "$URINGAIO" stat --openmetrics --all && told 'uringaio_other_version_processes 1' || exit 1
    kill "$process"
}

wrong_processes() {
    local process other
    sleep 3000 &
    process=$!
    started "$process"
    wrong 1 "$URINGAIO" stat "$process"
    kill "$process"
    wait "$process"
    wrong 1 "$URINGAIO" stat "$process"
    "$URINGAIO" run -- sleep 3000 2> /dev/null &
    process=$!
    started "$process"
    await grep -q liburingaio "/proc/$process/maps" || exit 1
    wrong 1 "$URINGAIO" stat "$process"
    wrong_version
    if [ "$(id -u)" = 0 ] && command -v setpriv > /dev/null; then
        # Another user's process, and this command as a user without rights.
        cp "$URINGAIO" uringaio && chmod 755 uringaio . ..
        wrong 1 setpriv --reuid 65534 --regid 65534 --clear-groups ./uringaio stat "$process"
        # As root of a container, whose rights are fewer: the one that is missing is named.
        wrong 1 setpriv --bounding-set -sys_ptrace --inh-caps -sys_ptrace "$URINGAIO" stat 1
        grep -q 'lacks CAP_SYS_PTRACE here.*--cap-add=SYS_PTRACE,' err || exit 1
        setpriv --reuid 65534 --regid 65534 --clear-groups sleep 3000 &
        other=$!
        started "$other"
        await owned_by 65534 "$other" || exit 1
        wrong 1 setpriv --bounding-set -dac_override --inh-caps -dac_override "$URINGAIO" stat "$other"
        grep -q 'lacks CAP_DAC_OVERRIDE here' err || exit 1
        kill "$other"
    else
        untried "process N may not be read: WHY" "not root"
    fi
    kill "$process"
    if [ "$(id -u)" = 0 ] && [ -r /proc/2/status ] && grep -q '^Kthread:.1' /proc/2/status; then
        wrong 1 "$URINGAIO" stat 2
    else
        untried "process N is a thread of the kernel, or has ended" "not root, or no such thread is seen"
    fi
}

wrong_files() {
    wrong 1 "$URINGAIO" bench nowhere
    wrong 1 "$URINGAIO" bench --report nowhere/report.svg
    head -c 100 /dev/zero > short
    wrong 1 "$URINGAIO" bench short
    for command in doctor --help 'help run' 'stat --openmetrics --all' 'top --once -d 0.05' 'drop-in status' \
        'bench --size 1 --seconds 0.05 --rounds 1 --only cached'; do
        # shellcheck disable=SC2086 # two words
        "$URINGAIO" $command > /dev/full 2> err
        [ $? -eq 1 ] || { echo "FAILED: $command to a full disk"; exit 1; }
        printf '1\t%s\n' "$(sed -n '1s/^uringaio: //p' err)" >> messages
    done
}

wrong_libraries() {
    wrong 125 "$URINGAIO" run --library /nowhere/liburingaio.so -- true
    wrong 125 "$URINGAIO" run --library /etc/hostname -- true
    wrong 125 "$URINGAIO" run --library "$DROP_IN" -- true
    mkdir 'a b' alone && cp "$LIBRARY" 'a b/liburingaio.so' && cp "$URINGAIO" alone || exit 1
    wrong 125 "$URINGAIO" run --library 'a b/liburingaio.so' -- true
    if /sbin/ldconfig -p | grep -q liburingaio; then
        untried "liburingaio.so.1 is neither beside this command nor known to the dynamic linker; name it with --library" installed
        untried "the drop-in libaio.so.1 is not beside this command; is it installed?" installed
    else
        wrong 125 env -u LD_LIBRARY_PATH alone/uringaio run -- true
        wrong 125 env -u LD_LIBRARY_PATH alone/uringaio run --interface libaio -- true
    fi
}

wrong_programs() {
    local number
    wrong 127 "$URINGAIO" run -- no-such-program-anywhere
    wrong 127 "$URINGAIO" run ''
    echo text > text && wrong 126 "$URINGAIO" run -- ./text
    echo '#!' > script && chmod +x script && wrong 126 "$URINGAIO" run ./script
    printf '#!/nowhere/shell\n' > script && wrong 126 "$URINGAIO" run ./script
    # A pipe that is named where a program should be is not waited for.
    mkfifo pipe && chmod +x pipe && printf '#!%s/pipe\n' "$PWD" > script && wrong 126 "$URINGAIO" run ./script
    wrong 126 "$URINGAIO" run ./pipe
    printf '#!/bin/true\n' > script0 && chmod +x script0
    for number in 1 2 3 4 5 6; do printf '#!%s/script%s\n' "$PWD" $((number - 1)) > script$number && chmod +x script$number; done
    wrong 126 "$URINGAIO" run ./script6
    echo 'int main(void) { return 0; }' > program.c
    c_compiler -o program program.c && c_compiler -shared -fPIC -o shared.so program.c || exit 1
    wrong 126 "$URINGAIO" run ./shared.so
    cp program other && printf '\1' | dd of=other bs=1 seek=4 conv=notrunc 2> /dev/null && wrong 126 "$URINGAIO" run ./other
    cp program other && printf '\25\0' | dd of=other bs=1 seek=18 conv=notrunc 2> /dev/null && wrong 126 "$URINGAIO" run ./other
    c_compiler -Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1 -o other program.c && wrong 126 "$URINGAIO" run ./other
    if quietly "${CC:-cc}" -static -o static program.c; then
        wrong 126 "$URINGAIO" run ./static
    else
        untried "FILE is statically linked: nothing can be preloaded into it. Link it with liburingaio.a instead" "no static libc"
    fi
    # Of another user, and so run with other rights than the caller's.
    if [ "$(id -u)" = 0 ] && cp "$(type -P true)" set-uid && chown 1 set-uid && chmod 4755 set-uid && [ -u set-uid ]; then
        wrong 126 "$URINGAIO" run ./set-uid
    else
        untried "FILE is set-uid: WHY" "not root"
    fi
}

# On a copy of /etc in a mount namespace, so that the machine stays as it is.
wrong_drop_in() {
    local first="the dynamic linker takes FILE first; WHY"
    local unread="the dynamic linker does not read /etc/ld.so.conf.d: nothing was changed"
    if [ "$(id -u)" != 0 ] || ! quietly unshare -m true; then
        untried "$first" "no mount namespace"
        untried "$unread" "no mount namespace"
        return
    fi
    mkdir etc elsewhere && cp -a /etc/ld.so* etc/ && cp "$DROP_IN" elsewhere/libaio.so.1 || exit 1
    printf '%s\ninclude /etc/ld.so.conf.d/*.conf\n' "$PWD/elsewhere" > etc/ld.so.conf
    # shellcheck disable=SC2016 # expanded inside
    local enable='mount --bind etc /etc && exec "$0" drop-in enable'
    wrong 1 unshare -m sh -c "$enable" "$URINGAIO"
    : > etc/ld.so.conf
    if unshare -m sh -c 'mount --bind etc /etc && ldconfig -p' | grep -q 'libaio.so.1 '; then
        wrong 1 unshare -m sh -c "$enable" "$URINGAIO"
        untried "$unread" "libaio is installed"
    else
        wrong 1 unshare -m sh -c "$enable" "$URINGAIO"
    fi
}

# Services, in a tree of their own.
wrong_units() {
    local units=tree/etc/systemd/system deaf='NAME was started, and its process N does not have the library loaded; everything was put back'
    local failed='NAME was started with the library, and failed; everything was put back'
    mkdir -p "$units/mine.service.d" tree/usr/lib tree/usr/bin && cp "$LIBRARY" tree/usr/lib/liburingaio.so.1 && cp program tree/usr/bin || exit 1
    enable_in_tree() { wrong "$1" "$URINGAIO" enable --root tree "$2"; }
    service() { printf '[Service]\n' | cat - "$2" > "$units/$1.service"; }
    enable_in_tree 127 nothing
    enable_in_tree 2 a/b
    enable_in_tree 1 a.socket
    ln -s /dev/null "$units/masked.service" && enable_in_tree 1 masked
    echo mine > "$units/mine.service.d/50-uringaio.conf" && wrong 1 "$URINGAIO" disable --root tree mine
    service empty <(:) && enable_in_tree 126 empty
    service rooted <(printf 'ExecStart=/a\nRootDirectory=/srv\n') && enable_in_tree 126 rooted
    service useless <(printf 'ExecStart=/usr/bin/program\n') && enable_in_tree 126 useless
    echo 'LD_PRELOAD=other.so' > tree/variables
    service told <(printf 'ExecStart=/%%i\nEnvironmentFile=-/variables\n') && enable_in_tree 126 told
    if [ "$(id -u)" != 0 ] || ! quietly unshare -m true; then
        untried "systemctl WORD: WHY" "no mount namespace"
        untried "$deaf" "no mount namespace"
        untried "$failed" "no mount namespace"
        return
    fi
    # A service manager that fails, and one whose service is another program.
    mkdir bin && printf '#!/bin/sh\ncase $1 in show) case $2 in *Result) echo "Result=${RESULT:-success}" ;; *) echo "MainPID=%s" ;; esac ;; *) echo no bus >&2; exit $FAILS ;; esac\n' $$ > bin/systemctl
    chmod +x bin/systemctl && service any <(printf 'ExecStart=/%%i\n')
    # shellcheck disable=SC2016 # expanded inside
    local enable='mount --bind "$1" /etc/systemd/system && exec "$0" enable --library "$2" --restart any'
    wrong 1 env FAILS=1 PATH="$PWD/bin:$PATH" unshare -m sh -c "$enable" "$URINGAIO" "$PWD/$units" "$LIBRARY"
    wrong 1 env FAILS=0 PATH="$PWD/bin:$PATH" unshare -m sh -c "$enable" "$URINGAIO" "$PWD/$units" "$LIBRARY"
    wrong 1 env FAILS=0 RESULT=exit-code PATH="$PWD/bin:$PATH" unshare -m sh -c "$enable" "$URINGAIO" "$PWD/$units" "$LIBRARY"
    [ ! -e "$units/any.service.d" ] || { echo "FAILED: the drop-in was left"; exit 1; }
}

check "wrong uses: status and message of each" command wrong_uses
