#!/bin/bash
# The command `uringaio`: what it runs, finds out and measures.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$TOP/programs/support/command.sh"
requires fio python3

# Words of the source that say nothing to a user.
plain_words() {
    local command word
    built || return 1
    for command in run doctor stat top bench drop-in enable disable; do
        status 0 "$URINGAIO" "$command" --help && grep -q 'Exit status' out || return 1
        cp out help && status 0 "$URINGAIO" help "$command" && cmp help out || return 1
        cat help >> pages
    done
    status 0 "$URINGAIO" --version && grep -Eq '^uringaio [0-9]+\.[0-9]+\.[0-9]+$' out || return 1
    "$URINGAIO" doctor fio >> pages
    cat "$TOP/man"/*.[13] "$TOP/docs/command.md" "$TOP/docs/tuning.md" "$TOP/docs/monitoring.md" "$TOP/include/uringaio.h" >> pages
    for word in 'a round' dozed rung desk bell face private estate ours; do
        grep -iw "$word" pages && fail "'$word' says nothing to a user"
    done
    return 0
}

folds() { # to the terminal's width; lines to paste are left whole
    built || return 1
    command -v script > /dev/null || skip "script is not installed"
    script -qec "stty cols 60 rows 24 && '$URINGAIO' doctor fio" /dev/null < /dev/null > folded
    python3 -c 'import sys
lines = [line.rstrip() for line in open("folded", encoding="utf-8")]
long = [line for line in lines if len(line) > 60 and " " in line.strip() and not line.startswith(" " * 12)]
assert len(lines) > 20 and not long, long'
    for command in run doctor stat top bench drop-in enable disable; do
        script -qec "stty cols 80 rows 24 && '$URINGAIO' $command --help" /dev/null < /dev/null | tr -d '\r' > folded
        grep -q 'Exit status' folded && ! grep -E '^.{81}' folded || fail "the help of $command does not fit"
    done
}

is_the_program() {
    built || return 1
    printf '#!/bin/sh\necho "$0 $*"\nexit 42\n' > script && chmod +x script
    status 42 "$URINGAIO" run --engine threads -- ./script --stats -x && grep -qx './script --stats -x' out || return 1
    status 42 "$URINGAIO" run ./script --stats -- -x && grep -qx './script --stats -- -x' out || return 1
    # A warning, since the shell calls neither interface; and the script was run all the same.
    grep -q 'warning: .*neither' err || return 1
    # What the command does not know is the kernel's to judge, or the shell's (execvp(3)): a script without "#!", and a program whose
    # table of sections is damaged, which the kernel does not read.
    echo 'exit 43' > script && status 43 "$URINGAIO" run ./script || return 1
    cp "$(type -P true)" program && printf '\377\377\377\377\377\377\377\177' | dd of=program bs=1 seek=40 conv=notrunc 2> /dev/null
    status 0 "$URINGAIO" run ./program
}

summary() {
    built || return 1
    status 0 "$URINGAIO" run --stats --log -- fio --name=job --filename=data --size=4M --rw=randread --bs=4k --ioengine="$1" \
        --iodepth=8 || return 1
    # 1024 blocks, each read once, and nothing left over.
    grep -Eq "^uringaio: process .* 1024 operations \($2\).* 0 failed, 0 canceled, 0 in flight$" err &&
        grep -q '^uringaio: read 4.* wrote 0 bytes' err
}

# Lines of the library have priorities where standard error is what JOURNAL_STREAM names (systemd.exec(5)), and there alone.
priorities() {
    built || return 1
    local job=(fio --name=job --filename=data --size=1M --rw=randread --ioengine=posixaio) here
    : > err
    here=$(stat -c %d:%i err)
    export URINGAIO_INLINE=many
    JOURNAL_STREAM=$here status 0 "$URINGAIO" run --stats --log --engine threads -- "${job[@]}" || return 1
    grep -qx '<6>uringaio: worker threads serve: URINGAIO_ENGINE=threads' err &&
        grep -q '^<4>uringaio: URINGAIO_INLINE is none of what it can be' err &&
        grep -Eq '^<6>uringaio: process .* 256 operations' err && grep -q '^<6>uringaio: read 1' err || return 1
    ! grep uringaio: err | grep -v '^<[3-6]>uringaio: ' || return 1
    # Sent elsewhere; or no stream of the journal's.
    for here in "${here%:*}:1" "$here " : 1: '' 99999999999999999999:1; do
        JOURNAL_STREAM=$here status 0 "$URINGAIO" run --log --engine threads -- "${job[@]}" &&
            grep -qx 'uringaio: worker threads serve: URINGAIO_ENGINE=threads' err && ! grep '<' err || return 1
    done
}

one_interface() { # the other one is the system's, and the counters say so
    built || return 1
    status 0 "$URINGAIO" run --interface posix --stats -- fio --name=job --filename=data --size=4M --rw=randread --bs=4k \
        --ioengine=posixaio --iodepth=8 && grep -q ' 1024 operations (POSIX 1024, libaio 0)' err || return 1
    status 0 "$URINGAIO" run --interface posix --stats -- fio --name=job --filename=data --size=4M --rw=randread --bs=4k \
        --ioengine=libaio --iodepth=8 && ! grep -q 'libaio [1-9][0-9]*)' err || return 1
    # The variable's earlier name.
    URINGAIO_FACE=posix status 0 "$URINGAIO" run --stats -- fio --name=job --filename=data --size=4M --rw=randread --bs=4k \
        --ioengine=libaio --iodepth=8 && ! grep -q 'libaio [1-9][0-9]*)' err || return 1
    status 0 "$URINGAIO" run --interface libaio --stats -- fio --name=job --filename=data --size=4M --rw=randread --bs=4k \
        --ioengine=libaio --iodepth=8 --thread && grep -q ' 1024 operations (POSIX 0, libaio 1024)' err
}

doctor() {
    built || return 1
    local wanted=1
    if has_io_uring; then wanted=0; fi
    status "$wanted" "$URINGAIO" doctor fio && told 'calls POSIX AIO, which is served' io_submit || return 1
    status "$wanted" "$URINGAIO" doctor --json fio && as_schema doctor out || return 1
    python3 -c 'import json
report = json.load(open("out"))
assert report["engine"] in ("io_uring", "threads", "system"), report["engine"]
program = [section for section in report["sections"] if section["name"] == "program"][0]
assert any("io_submit" in finding["detail"] for finding in program["findings"])' || return 1
    status 127 "$URINGAIO" doctor no-such-program-anywhere && told 'there is no program no-such-program-anywhere'
}

# A dynamic linker that a file names is no reason to run it.
doctor_runs_nothing() {
    built || return 1
    printf '#!/bin/sh\n: > "%s/was-run"\n' "$PWD" > linker && chmod +x linker
    echo 'int main(void) { return 0; }' > program.c
    c_compiler -Wl,--dynamic-linker="$PWD/linker" -o program program.c || return 1
    "$URINGAIO" doctor ./program | grep 'calls neither POSIX AIO nor libaio' || return 1
    [ ! -e was-run ]
}

# What programs use, and whether that is served.
doctor_programs() {
    built || return 1
    cat > raw.c << 'END'
#include <sys/syscall.h>
#include <unistd.h>
int main(void) { unsigned long context = 0; return (int)syscall(SYS_io_setup, 8, &context); }
END
    cat > ring.c << 'END'
extern int io_uring_queue_init(unsigned entries, void *ring, unsigned flags);
int main(void) { return io_uring_queue_init(8, 0, 0); }
END
    echo 'int io_uring_queue_init(unsigned e, void *r, unsigned f) { return (int)(e + f) + !r; }' > stand-in.c
    echo 'extern int io_submit(long c, long n, void **l); int use(void) { return io_submit(0, 0, 0); }' > plug-in.c
    echo '#include <dlfcn.h>
int main(void) { return !dlopen("libaio.so.1", RTLD_NOW); }' > loads.c
    echo 'int io_submit(long c, long n, void **l) { return (int)(c + n) + !l; }' > bundled.c
    c_compiler -O1 -D_GNU_SOURCE -o raw raw.c && c_compiler -shared -fPIC -Wl,-soname,liburing.so.2 -o liburing.so.2 stand-in.c &&
        c_compiler -o ring ring.c ./liburing.so.2 -Wl,-rpath,"$PWD" && c_compiler -shared -fPIC -o plug-in.so plug-in.c &&
        c_compiler -o loads loads.c && c_compiler -shared -fPIC -Wl,-soname,libaio-8c118d5e.so.1.0.2 -o libaio-8c118d5e.so.1.0.2 bundled.c &&
        c_compiler -shared -fPIC -o wheel.so plug-in.c ./libaio-8c118d5e.so.1.0.2 || return 1
    chmod -x plug-in.so wheel.so
    if [ "$(uname -m)" = x86_64 ]; then
        "$URINGAIO" doctor ./raw > out
        told 'by system call number' 'uringaio run --raw' 'is served with URINGAIO_RAW=1'
        "$URINGAIO" run -- ./raw > out 2>&1
        told 'add --raw'
    fi
    "$URINGAIO" doctor ./ring > out
    told 'uses io_uring by itself (liburing)' 'running it on uringaio changes nothing'
    "$URINGAIO" doctor ./plug-in.so > out
    told 'calls libaio, which is served' 'is a shared object'
    "$URINGAIO" doctor ./wheel.so > out
    told 'a libaio of its own' 'libaio-8c118d5e.so.1.0.2'
    "$URINGAIO" doctor ./loads > out
    told 'run --interface libaio'
}

# A database whose setting decides: by its option files, and by the command line of one that runs.
doctor_of_a_database() {
    built || return 1
    local process
    stand_in_for_a_server || return 1
    grep -rqs innodb_linux_aio /etc/mysql /etc/my.cnf && skip "this machine's MariaDB has the setting"
    "$URINGAIO" doctor ./mariadbd > out
    told 'needs another setting to be served' 'innodb_linux_aio is auto' 'innodb_linux_aio=aio'
    "$URINGAIO" doctor --json ./mariadbd > out
    as_schema doctor out && grep -q '"effect": "setting"' out || return 1
    ./mariadbd --no-defaults --innodb-linux-aio=aio &
    process=$!
    started "$process"
    await grep -q liburing "/proc/$process/maps" || return 1
    "$URINGAIO" doctor "$process" > out
    told "Process $process is served" 'told to use libaio: innodb_linux_aio=aio in its command line' \
        "Process $process does not run on uringaio"
    printf '[mysqld]\ninnodb_linux_aio=io_uring\n' > options
    ./mariadbd --defaults-file="$PWD/options" &
    process=$!
    started "$process"
    await grep -q liburing "/proc/$process/maps" || return 1
    "$URINGAIO" doctor "$process" > out
    told 'needs another setting' "$PWD/options says innodb_linux_aio=io_uring"
}

# On the library, and past it all the same: a context that was made by number.
doctor_of_a_raw_caller() {
    built || return 1
    local process
    cat > raw.c << 'END'
#include <sys/syscall.h>
#include <unistd.h>
int main(void)
{
    unsigned long first = 0, second = 0;
    if (syscall(SYS_io_setup, 8, &first) || syscall(SYS_io_setup, 8, &second)) return 1;
    return pause();
}
END
    c_compiler -O1 -D_GNU_SOURCE -o raw raw.c || return 1
    "$URINGAIO" run --log -- ./raw 2> err &
    process=$!
    started "$process"
    await grep -qF '[aio]' "/proc/$process/maps" || { cat err; return 1; }
    "$URINGAIO" doctor "$process" > out
    told "Process $process uses the kernel's own AIO, past uringaio" URINGAIO_RAW=1
    # With URINGAIO_LOG the library has said so itself, once; asked to serve them, or to say nothing, it does not.
    [ "$(grep -c "left to the kernel's AIO; URINGAIO_RAW=1" err)" -eq 1 ] || fail "it did not say so once"
    "$URINGAIO" run --log --raw -- timeout 0.2 ./raw 2> err
    "$URINGAIO" run -- timeout 0.2 ./raw 2>> err
    ! grep "left to the kernel's AIO" err || return 1
    # A number that comes from elsewhere cannot be seen.
    printf '#include <stdlib.h>\n#include <unistd.h>\nint main(int c, char **w) { return c > 1 && syscall(atoi(w[1]), 8, w); }\n' > hidden.c
    c_compiler -O1 -D_GNU_SOURCE -o hidden hidden.c || return 1
    "$URINGAIO" doctor ./hidden > out
    told 'makes system calls by number (syscall), and it cannot be seen which' 'uringaio run --log'
}

# A data file: its device, the way of its requests, and reads that were really done there; it stays as it was.
doctor_of_a_file() {
    built || return 1
    local wanted=1 before
    if has_io_uring; then wanted=0; fi
    head -c 1M /dev/urandom > data
    cp data copy
    before=$(command stat -c '%y %z' data)
    status "$wanted" "$URINGAIO" doctor ./data && told 'Device:' 'Reads and writes go:' RWF_NOWAIT O_DIRECT || return 1
    status "$wanted" "$URINGAIO" doctor --json ./data && as_schema doctor out || return 1
    python3 -c 'import json
report = json.load(open("out"))
ways = ("in_caller", "by_io_uring", "by_threads", "by_kernel_aio", "by_the_system")
reads = report["reads"]
assert [row["interface"] for row in reads if not row["direct"]] == ["posix", "libaio"], reads
for row in reads:
    assert row["reads"] > 0 and row["median_ns"] > 0 and sum(row[way] for way in ways) == row["reads"], row
    assert row["by_the_system"] == 0, row
    # Just written, and so in memory.
    if not row["direct"]: assert row["in_caller"] > 0, row
file = [section for section in report["sections"] if section["name"] == "file"][0]
assert {"device", "route", "nowait", "o_direct", "reads"} <= {finding["id"] for finding in file["findings"]}' || return 1
    cmp data copy && [ "$(command stat -c '%y %z' data)" = "$before" ] || fail "the file was changed"
    status "$wanted" "$URINGAIO" doctor . && told 'Name a file in it' || return 1
    mkfifo pipe && status "$wanted" "$URINGAIO" doctor ./pipe && told 'pipe, socket, terminal' || return 1
    status "$wanted" "$URINGAIO" doctor /etc/hostname && told 'No read was tried: it is shorter than 4096 bytes' || return 1
    status 127 "$URINGAIO" doctor ./nowhere
}

# Without io_uring doctor says what stands in the way, and what serves instead.
doctor_without() {
    built || return 1
    local refuse
    refuse=$(helper c-tests/support/refuse.c) || return 1
    "$refuse" io_uring EPERM true || skip "no seccomp here"
    status 1 "$refuse" io_uring EPERM "$URINGAIO" doctor && told 'BAD A system call filter forbids io_uring' 'POSIX AIO: by threads' ||
        return 1
    status 1 "$refuse" io_uring ENOSYS "$URINGAIO" doctor && told 'as if the kernel were too old' || return 1
    head -c 64K /dev/urandom > data
    status 1 "$refuse" io_uring EPERM "$URINGAIO" doctor ./data && told 'go to threads' 'threads take its place' || return 1
    status 1 "$refuse" io_uring ENOSYS "$URINGAIO" doctor --json && as_schema doctor out && grep -q '"engine": "threads"' out || return 1
    status 1 env URINGAIO_ENGINE=system "$URINGAIO" doctor && told "BAD libaio is left to the kernel's AIO" || return 1
    # A filter that kills: doctor reports that and lives.
    for call in io_uring_setup io_uring_register io_uring_enter; do
        status 1 "$refuse" "$call" kill "$URINGAIO" doctor && told 'BAD A system call filter ends every process' "SIGSYS when it called $call" || return 1
    done
    timeout "$LIMIT" "$refuse" io_setup kill "$URINGAIO" doctor > out
    told "filter ends processes that use the kernel's own AIO"
}

# The setting of the machine, and the container engine, by their marks.
doctor_names_the_cause() {
    built || return 1
    local refuse
    refuse=$(helper c-tests/support/refuse.c) || return 1
    [ "$(id -u)" = 0 ] && quietly unshare -mpf --mount-proc true || skip "no namespaces here"
    "$refuse" io_uring EPERM true || skip "no seccomp here"
    [ -e /proc/sys/kernel/io_uring_disabled ] || skip "this kernel has no kernel.io_uring_disabled"
    echo 2 > disabled
    # shellcheck disable=SC2016 # expanded inside
    status 1 "$refuse" io_uring EPERM unshare -m sh -c \
        'mount --bind disabled /proc/sys/kernel/io_uring_disabled && exec "$0" doctor' "$URINGAIO" || return 1
    told 'kernel.io_uring_disabled is 2' 'sysctl -p' || return 1
    # shellcheck disable=SC2016 # expanded inside
    status 1 "$refuse" io_uring ENOSYS unshare -mpf --mount-proc sh -c \
        'mount -t tmpfs none /run && : > /run/.containerenv && "$0" doctor' "$URINGAIO" || return 1
    told 'this Podman container' 'podman run --security-opt seccomp='
}

doctor_limits() {
    built || return 1
    [ "$(id -u)" = 0 ] && command -v setpriv > /dev/null || skip "not root"
    mkdir user && cp "$URINGAIO" "$LIBRARY" user && chmod -R a+rX user . ..
    prlimit --memlock=65536:65536 setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all \
        user/uringaio doctor --library "user/$(basename "$LIBRARY")" > out
    told '64 KiB' RLIMIT_MEMLOCK memlock
}

# Variables that the library does not understand are named.
doctor_settings() {
    built || return 1
    status 1 env URINGAIO_ENGINE=iouring "$URINGAIO" doctor && told 'BAD URINGAIO_ENGINE=iouring is not understood' || return 1
    status 1 env URINGAIO_ENGIN=uring "$URINGAIO" doctor && told 'BAD There is no variable URINGAIO_ENGIN:' || return 1
    status 1 env URINGAIO_MAX_EVENTS=many "$URINGAIO" doctor && told 'BAD URINGAIO_MAX_EVENTS=many' || return 1
    "$URINGAIO" doctor > out
    env URINGAIO_STATS=1 "$URINGAIO" doctor > changed
    grep -q 'No variable URINGAIO_' out && grep -q 'URINGAIO_STATS=1 is set' changed
}

# Where io_uring does not serve, nothing is said to go to it: neither the files of a directory nor one file.
doctor_without_io_uring() {
    built || return 1
    head -c 64K /dev/urandom > data
    status 1 env URINGAIO_ENGINE=threads "$URINGAIO" doctor && grep -Eq '(by threads|in memory)$' out || return 1
    ! grep -E ': by io_uring$' out || fail "io_uring serves no file"
    status 1 env URINGAIO_ENGINE=system "$URINGAIO" doctor && told "left to the system's own AIO (the reason is above)" || return 1
    status 1 env URINGAIO_ENGINE=system "$URINGAIO" doctor data
    told "Requests on data are left to the system's own AIO." "Reads and writes are left to the system's own AIO"
}

# A process that uses the kernel's AIO: doctor says so, and how it is started anew.
doctor_of_a_process() {
    built || return 1
    FIO=(--thread --direct=1)
    fio_job libaio env
    await grep -qF '[aio]' "/proc/$JOB/maps" || { cat fio.log; return 1; }
    "$URINGAIO" doctor "$JOB" > out
    told "Process $JOB uses the kernel's own AIO now" "Process $JOB does not run on uringaio" 'uringaio run -- PROGRAM'
    kill "$JOB"
    wait "$JOB"
    status 127 "$URINGAIO" doctor "$JOB" && told "Process $JOB" "There is no process $JOB." && ! grep -q 'cannot be served' out
}

bench() {
    built || return 1
    status 0 "$URINGAIO" bench --seconds 0.05 --rounds 1 --size 4 --report report.html || return 1
    [ "$(grep -c 'in flight' out)" -eq 12 ] && grep -q '<svg' report.html && grep -q '</html>' report.html || return 1
    # A phone's screen decides how large it is drawn.
    grep -q 'name="viewport" content="width=device-width' report.html && ! grep -Eq '<svg[^>]* (width|height)=' report.html || return 1
    # A file that exists already is only read, and stays as it was.
    head -c 1M /dev/urandom > mine
    cp mine copy
    status 0 "$URINGAIO" bench --json --seconds 0.05 --rounds 2 --report report.svg mine || return 1
    cmp mine copy && as_schema bench out || return 1
    python3 -c 'import json, xml.dom.minidom
rows = json.load(open("out"))["rows"]
assert len(rows) == 8 and all("read" in row["load"] for row in rows)
assert all(row["system"]["per_second"] > 0 and row["uringaio"]["per_second"] > 0 for row in rows)
xml.dom.minidom.parse("report.svg")' || return 1
    # Started on the library itself, it still compares with the system's.
    status 0 env LD_PRELOAD="$LIBRARY" "$URINGAIO" bench --json --seconds 0.05 --rounds 1 --size 4 --only 'libaio, cached' || return 1
    # Nothing was left in the directory.
    [ -z "$(find . -name '.uringaio*')" ]
}

# offered WORD…: what bash offers for the last word is in `offered`.
offered() {
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _uringaio_with_programs uringaio "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    printf '%s\n' "${COMPREPLY[@]}" > offered
}

completion() {
    built || return 1
    if command -v zsh > /dev/null; then zsh -n "$TOP/completions/_uringaio" || return 1; fi
    if command -v fish > /dev/null; then
        fish -c 'source $argv[1]; complete -C"uringaio run --interface "' "$TOP/completions/uringaio.fish" | grep libaio || return 1
        # Behind the program its own options are completed.
        fish -c 'source $argv[1]; complete -C"uringaio run ls --st"' "$TOP/completions/uringaio.fish" | grep -e --stats && return 1
    fi
    # shellcheck disable=SC1091
    . "$TOP/completions/uringaio.bash" || return 1
    offered uringaio '' && grep -qx doctor offered && ! grep -q __ offered || return 1
    offered uringaio run --interface '' && grep -qx libaio offered || return 1
    offered uringaio run --st && grep -qx -e --stats offered || return 1
    offered uringaio run tru && grep -qx true offered || return 1
    offered uringaio stat '' && grep -qx "$$" offered || return 1
    offered uringaio run true --st && ! grep -qx -e --stats offered
}

own_tests() { # of the texts for machines that are not at hand
    command -v cargo > /dev/null || skip "cargo is not installed"
    cargo test --quiet --manifest-path "$TOP/Cargo.toml" --target-dir "$TOP/target/command" --features command --bin uringaio
}

# Every variable that is read is on the page of tuning, in the manual and known to doctor, and no other is.
settings() {
    local page
    grep -oE 'URINGAIO_[A-Z_]+' "$TOP/src/host/settings.rs" | sort -u > variables
    for page in "$TOP/man/liburingaio.3" "$TOP/docs/tuning.md" "$TOP/src/bin/uringaio/doctor/settings.rs"; do
        case $page in
            *.3) sed -n 's/^\.It Ev //p' "$page" ;;
            *.md) sed -n 's/^| `\(URINGAIO_[A-Z_]*\)` .*/\1/p' "$page" ;;
            *) sed -n 's/^    ("\(URINGAIO_[A-Z_]*\)", Values.*/\1/p' "$page" ;;
        esac | sort -u > told
        diff variables told || fail "$page tells of other variables than are read"
    done
}

manual() {
    local page lint
    command -v mandoc > /dev/null || skip "mandoc is not installed"
    for page in "$TOP"/man/*.[0-9]; do
        # Manuals of other packages may not be installed here, and what is made has long lines.
        lint=$(mandoc -T lint "$page" 2> /dev/null |
            grep -v -e 'referenced manual not found' -e 'input text line longer than 80 bytes')
        [ -z "$lint" ] || { echo "$lint"; return 1; }
    done
}

check "help, manual and doctor in plain words" command plain_words
check "lines fold to the terminal" command folds
check "run becomes the program" command is_the_program
check "the summary counts POSIX AIO exactly" command summary posixaio "POSIX 1024, libaio 0"
check "the summary counts libaio exactly" command summary libaio "POSIX 0, libaio 1024"
check "priorities in the journal" command priorities
check "one interface alone" command one_interface
check "doctor" command doctor
check "doctor runs nothing of a program" command doctor_runs_nothing
check "doctor of programs, shared objects and callers by number" command doctor_programs
check "doctor of a process" command doctor_of_a_process
check "doctor of a database, by its settings" command doctor_of_a_database
check "doctor of a process that makes its contexts by number" command doctor_of_a_raw_caller
check "doctor of a data file" command doctor_of_a_file
check "doctor without io_uring" command doctor_without
check "doctor names the setting and the container" command doctor_names_the_cause
check "doctor and locked memory" command doctor_limits
check "doctor and variables" command doctor_settings
check "doctor and files without io_uring" command doctor_without_io_uring
check "bench and its reports" command bench
check "completions" command completion
check "the command's own tests" command own_tests
check "settings: manual, tuning and doctor" command settings
check "manual pages" command manual
