# What the scripts about the command `uringaio` share: to build and run it, to read what it wrote, and programs to look at.
# shellcheck shell=bash

URINGAIO=${URINGAIO_COMMAND:-$TOP/target/release/uringaio}
# It is no setting of the library's: doctor would say so.
unset URINGAIO_COMMAND

built() {
    [ -z "$SYSTEM" ] || skip "on the system's own AIO there is no command"
    [ -x "$URINGAIO" ] || make -s -C "$TOP" command > "$SCRATCH/command.log" 2>&1 || { cat "$SCRATCH/command.log"; return 1; }
}

# status N COMMAND…: ends with that status; what it wrote is in `out` and `err`.
status() {
    local wanted=$1 got
    shift
    timeout "$LIMIT" "$@" > out 2> err
    got=$?
    cat out err
    [ "$got" -eq "$wanted" ] || fail "status $got, not $wanted: $*"
}

# told TEXT…: each of these stands in `out`, wherever its lines were folded.
told() {
    local text
    for text in "$@"; do
        tr -s '\n ' '  ' < out | grep -qF -e "$text" || { cat out; fail "it does not say: $text"; }
    done
}

quietly() { "$@" > /dev/null 2>&1; }

c_compiler() { "${CC:-cc}" "$@" 2> compiler.log || { cat compiler.log; return 1; }; }

# as_schema NAME FILE: the JSON in FILE has the keys, and the kinds of values, that the schema of that name says.
as_schema() {
    python3 - "$TOP/docs/schema/$1.json" "$2" << 'END'
import json, re, sys
schema = json.load(open(sys.argv[1]))
kinds = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None)}
def check(value, rule, where):
    if "$ref" in rule: rule = schema["$defs"][rule["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in rule: # a value that may be missing
        options = [option for option in rule["anyOf"] if (option.get("type") == "null") == (value is None)]
        assert len(options) == 1, (where, value)
        return check(value, options[0], where)
    if "oneOf" in rule:
        assert any(value == option.get("const") or value in option.get("enum", []) for option in rule["oneOf"]), (where, value)
        return
    allowed = rule["type"] if isinstance(rule["type"], list) else [rule["type"]]
    assert any(isinstance(value, kinds[kind]) for kind in allowed), (where, value)
    if isinstance(value, dict):
        assert set(value) == set(rule["properties"]), (where, set(value) ^ set(rule["properties"]))
        for key, inner in value.items():
            assert re.fullmatch("[a-z0-9_]+", key), key
            check(inner, rule["properties"][key], f"{where}.{key}")
    if isinstance(value, list):
        for inner in value: check(inner, rule["items"], where)
text = open(sys.argv[2]).read()
try: values = [json.loads(text)]
except ValueError: values = [json.loads(line) for line in text.splitlines()]
for value in values: check(value, schema, sys.argv[1])
END
}

# A job of fio, with the options in $FIO, that runs until it is killed: its process is in $JOB.
PROGRAM=fio
fio_job() { # ENGINE [COMMAND…]
    local engine=$1
    shift
    "$@" "$PROGRAM" --name=job --filename=data --size=8M --rw=randread --bs=4k --ioengine="$engine" --iodepth=8 --time_based \
        --runtime=3000 "${FIO[@]}" > fio.log 2>&1 &
    JOB=$!
    started "$JOB"
}

# A program that is named as MariaDB's server is, has the same interfaces and setting, and waits.
stand_in_for_a_server() {
    cat > server.c << 'END'
#include <unistd.h>
extern int io_uring_queue_init(unsigned entries, void *ring, unsigned flags);
extern int io_setup(int events, unsigned long *context);
char setting[] = "\0linux_aio\0";
int main(int count, char **words)
{
    unsigned long context = 0;
    if (setting[count] == 'x') return io_uring_queue_init(8, words, 0) + io_setup(8, &context);
    return pause();
}
END
    echo 'int io_uring_queue_init(unsigned e, void *r, unsigned f) { return (int)(e + f) + !r; }' > ring.c
    echo 'int io_setup(int e, unsigned long *c) { return e + (int)*c; }
int io_submit(long c, long n, void **l) { return (int)(c + n) + !l; }' > aio.c
    c_compiler -shared -fPIC -Wl,-soname,liburing.so.2 -o liburing.so.2 ring.c &&
        c_compiler -shared -fPIC -Wl,-soname,libaio.so.1 -o libaio.so.1 aio.c &&
        c_compiler -o mariadbd server.c ./liburing.so.2 ./libaio.so.1 -Wl,-rpath,"$PWD"
}
