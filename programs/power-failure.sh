#!/bin/bash
# MariaDB on a disk with a cache that loses its power: what was committed is there afterwards.
#
# The disk is a file server of the tests (c-tests/support/fuse-passthrough.c), which forgets a part of what was not synced.
# The database lies on it directly (workers and the kernel's AIO serve), or on ext4 on a loop device whose file lies on it
# (io_uring serves). In each round clients commit numbered rows and write down, elsewhere, what was acknowledged; then the power
# fails, the database is killed, and started again on what the disk has.
#
# The disk keeps or forgets blocks of 4 KiB as a whole, and a page of the database and a block of ext4 are as large: InnoDB of MariaDB 10.11 does not
# always recover a table whose first page was torn, on the system's AIO neither.
#
# POWER_FAILURES=n: rounds (1). POWER_LIES=1: the disk lies about syncs, and the checks must fail. POWER_EXT4=1: on ext4, too;
# there InnoDB of 10.11 does not recover once in some 70 rounds with O_DIRECT, and more often with fsync, on the system's AIO as
# well (URINGAIO_TEST_SYSTEM=1). So it is no check of this library's; c-tests/fsync/power-failure-ext4-* are.
# shellcheck source-path=SCRIPTDIR

# Mounts end with the script.
if [ -z "${OWN_MOUNTS:-}" ] && [ "$(id -u)" = 0 ] && unshare --mount --propagation private true 2> /dev/null; then
    exec env OWN_MOUNTS=1 unshare --mount --propagation private "$BASH" "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"
. "$TOP/programs/support/mariadb.sh"
requires mariadbd mariadb mariadb-install-db mkfs.ext4

ROUNDS=${POWER_FAILURES:-1}
LIMIT=$((60 + 2 * ROUNDS))
CLIENTS=4
ROWS=4000 # of the table that all transactions change; larger than the buffer pool together with the others

start() {
    serve "$WORK/server.log" env ${SETTING:+"$SETTING"} mariadbd --no-defaults --user="$(id -un)" --datadir="$DATA" --tmpdir="$WORK" --socket="$WORK/s" \
        --pid-file="$WORK/pid" --skip-networking --innodb-use-native-aio=1 --innodb-linux-aio=aio --innodb-flush-method="$1" \
        --innodb-page-size=4k --innodb-buffer-pool-size=8M --innodb-log-file-size=8M --innodb-io-capacity=2000 --innodb-max-dirty-pages-pct=0
    await answers
}

# An empty database, made once.
installed() {
    [ -d "$SCRATCH/installed" ] || mariadb-install-db --no-defaults --user="$(id -un)" --datadir="$SCRATCH/installed" --tmpdir="$WORK" \
        --auth-root-authentication-method=normal --skip-test-db --innodb-page-size=4k > install.log 2>&1 || { cat install.log; return 1; }
}

# The disk shows the folder backing; for ext4 there is an image in it.
disk_on() {
    : > disk.log
    "$(helper c-tests/support/fuse-passthrough.c)" backing disk 4 1 $((RANDOM + 1)) ${POWER_LIES:+lie} >> disk.log &
    DISK=$!
    started "$DISK"
    await grep -q ready disk.log || return 1
    if [ "$1" = ext4 ]; then mount -t ext4 -o loop disk/image ext4; fi
}

power_fails() {
    kill -USR1 "$DISK"
    await grep failed disk.log || return 1
    kill -KILL "$SERVER"
    wait "$SERVER"
    wait "${clients[@]}"
    if [ "$1" = ext4 ]; then await umount ext4 || return 1; fi
    await umount disk || return 1
    wait "$DISK"
}

# client N FIRST: commits rows FIRST, FIRST + 1, … and prints the number of each when it is acknowledged.
client() {
    awk -v client="$1" -v first="$2" -v rows="$ROWS" 'BEGIN {
        srand(client * 1000003 + first)
        for (n = first; ; n++) {
            printf "start transaction; update busy set changes = changes + 1 where id = %d;", 1 + int(rand() * rows)
            printf "insert into promised values (%d, %d, repeat(md5(%d), 20)); commit; select %d;\n", client, n, n, n
        }
    }' 2> /dev/null | sql --unbuffered --skip-reconnect bank >> "promised.$1" 2> "client.$1"
}

acknowledged() { [ "$(cat promised.* | wc -l)" -ge "$1" ]; }

# Everything that was acknowledged is there, whole, and so is every transaction.
kept() {
    local client
    for client in $(seq $CLIENTS); do
        sql bank -e "select n from promised where client = $client and filler = repeat(md5(n), 20)" | sort > there
        sort "promised.$client" | comm -23 - there > lost
        [ ! -s lost ] || { echo "FAILED: client $client: lost $(wc -l < lost), the first $(head -n 1 lost)"; return 1; }
    done
    [ "$(sql bank -e 'select sum(changes) - (select count(*) from promised) from busy')" = 0 ] ||
        { echo "FAILED: half a transaction"; return 1; }
    sql bank -e 'check table promised, busy extended' > check-table
    [ "$(grep -c 'status.*OK' check-table)" = 2 ] || { cat check-table; return 1; }
}

# survives fuse|ext4 FLUSH-METHOD [SETTING]
survives() {
    local on=$1 flush=$2 SETTING=${3:-} DATA=$WORK/disk round client clients before
    [ -n "${OWN_MOUNTS:-}" ] || skip "only root can mount"
    [ -e /dev/fuse ] || skip "no FUSE here"
    mkdir backing disk ext4 && installed || return 1
    trap 'umount -l ext4 disk 2> /dev/null' EXIT
    if [ "$on" = ext4 ]; then
        DATA=$WORK/ext4
        truncate -s 256M backing/image && mkfs.ext4 -q -F -b 4096 backing/image || return 1
        mount -t ext4 -o loop backing/image ext4 2> /dev/null || skip "no loop devices here"
        cp -a "$SCRATCH/installed/." ext4 && umount ext4 || return 1
    else
        cp -a "$SCRATCH/installed/." backing
    fi
    disk_on "$on" && start "$flush" && server_is_ours "$SERVER" || return 1
    sql << END || return 1
create database bank;
use bank;
create table busy (id int primary key, changes bigint not null, filler varchar(2000) not null) engine=innodb;
create table promised (client int, n int, filler varchar(1000) not null, primary key (client, n)) engine=innodb;
insert into busy select seq, 0, repeat(md5(seq), 60) from seq_1_to_$ROWS;
END
    for round in $(seq "$ROUNDS"); do
        before=$(cat promised.* 2> /dev/null | wc -l) clients=()
        for client in $(seq $CLIENTS); do
            client "$client" $((round * 1000000)) &
            clients+=($!)
        done
        await acknowledged $((before + 200 + RANDOM % 400)) && power_fails "$on" || return 1
        if ! { disk_on "$on" && start "$flush" && kept; }; then tail -n 20 server.log; return 1; fi
        grep -q 'Using Linux native AIO' server.log || { echo "FAILED: native AIO was not used"; return 1; }
        grep -q 'crash recovery' server.log || { echo "FAILED: there was nothing to recover"; return 1; }
        echo "round $round: $(cat promised.* | wc -l) rows promised"
    done
    sql -e shutdown && ended "$SERVER"
}

PROOF=(io_setup io_submit io_destroy)
check "committed rows, on FUSE, O_DIRECT" "preload" survives fuse O_DIRECT
check "committed rows, on FUSE, fsync" "drop-in" survives fuse fsync
if [ "$ROUNDS" -gt 1 ]; then
    check "committed rows, on FUSE, O_DIRECT" "drop-in" survives fuse O_DIRECT
    check "committed rows, on FUSE, fsync" "preload" survives fuse fsync
    check "committed rows, on FUSE, O_DIRECT by workers" "preload" survives fuse O_DIRECT URINGAIO_KERNEL_AIO=off
fi
if [ -n "${POWER_EXT4:-}" ]; then
    check "committed rows, on ext4, O_DIRECT by io_uring" "preload" survives ext4 O_DIRECT URINGAIO_KERNEL_AIO=off
    check "committed rows, on ext4, O_DIRECT" "preload drop-in" survives ext4 O_DIRECT
    check "committed rows, on ext4, O_DIRECT by workers" "preload" survives ext4 O_DIRECT URINGAIO_ENGINE=threads
    check "committed rows, on ext4, fsync" "preload drop-in" survives ext4 fsync
fi
