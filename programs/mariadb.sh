#!/bin/bash
# MariaDB with InnoDB's native AIO: load, mixed work on a small buffer pool, kill -9 under load, recovery, checksums.
# InnoDB submits through libaio but reaps by a raw system call, and aborts on an answer it does not expect.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$TOP/programs/support/mariadb.sh"
requires mariadbd mariadb mariadb-install-db innochecksum

# How often the server is killed, and started at once.
KILLS=${MARIADB_KILLS:-1}
LIMIT=$((170 + 10 * KILLS))
MEGABYTES=${MARIADB_MB:-$([ -n "${CI:-}" ] && echo 48 || echo 200)}
ROWS=$((MEGABYTES * 1000))
CLIENTS=4
TRANSFERS=1500

# The log goes through the page cache, by plain pwrite. With O_DIRECT, InnoDB goes on filling the block that is being written, and a kill then
# leaves whole records with those of an earlier block behind them, which recovery takes for new ones: without this library, too
# (docs/upstream/innodb-log-tail.md).
start() {
    serve "$WORK/server.log.$1" mariadbd --no-defaults --user="$(id -un)" --datadir="$WORK/data" --tmpdir="$WORK" --socket="$WORK/s" \
        --pid-file="$WORK/pid" --skip-networking --innodb-use-native-aio=1 --innodb-linux-aio=aio \
        --innodb-flush-method=O_DIRECT --innodb-buffer-pool-size=16M --innodb-log-file-size=64M \
        --innodb-io-capacity=2000 --loose-innodb-log-file-buffering=1 --max-connections=50
    ln -sf "server.log.$1" "$WORK/server.log"
    await answers
}

stop() {
    sql -e shutdown || return 1
    ended "$SERVER"
}

transfer_loop() { sql bank -e "call transfer($1, $2)"; }

# The sum is the same whatever part of the transfers has been committed; each row's text is that of its number.
intact() {
    local found
    found=$(sql bank -e 'select count(*), sum(balance) from account')
    [ "$found" = "$ROWS"$'\t'"$((ROWS * 100))" ] ||
        { echo "FAILED: rows and balances are $found, not $ROWS and $((ROWS * 100))"; return 1; }
    [ "$(sql bank -e 'select count(*) from account where filler <> repeat(md5(id), 28)')" = 0 ] ||
        { echo "FAILED: rows have foreign contents"; return 1; }
    sql bank -e 'check table account extended' | tee "$WORK/check-table"
    grep -q 'status.*OK' "$WORK/check-table"
}

database() {
    local pid log file client
    mariadb-install-db --no-defaults --user="$(id -un)" --datadir="$WORK/data" --tmpdir="$WORK" \
        --auth-root-authentication-method=normal --skip-test-db > install.log 2>&1 || { cat install.log; return 1; }

    start 1 || return 1
    server_is_ours "$SERVER" || return 1
    sql << END || return 1
create database bank;
use bank;
create table account (id int primary key, balance bigint not null, filler varchar(1000) not null) engine=innodb;
insert into account select seq, 100, repeat(md5(seq), 28) from seq_1_to_$ROWS;
delimiter //
create procedure transfer(rounds int, seed int)
begin
    declare round, giver, taker int default 0;
    declare given bool;
    -- Lock wait time-out, deadlock. The time-out also comes when the server has stood still meanwhile, and then nothing was given.
    declare continue handler for 1205, 1213 begin
        rollback;
        set given = false;
    end;
    while round < rounds do
        set giver = 1 + floor(rand(seed + round * 2) * $ROWS), taker = 1 + floor(rand(seed + round * 2 + 1) * $ROWS), given = true;
        start transaction;
        update account set balance = balance - 1 where id = least(giver, taker);
        if given then
            update account set balance = balance + 1 where id = greatest(giver, taker);
        end if;
        commit;
        if round % 16 = 0 then
            do (select sum(length(filler)) from account where id between giver and giver + 200);
        end if;
        set round = round + 1;
    end while;
end //
END
    echo "== mixed load"
    for client in $(seq $CLIENTS); do
        transfer_loop "$TRANSFERS" $((client * 1000003)) &
        eval "client_$client=$!"
    done
    for client in $(seq $CLIENTS); do
        pid=client_$client
        wait "${!pid}" || return 1
    done
    intact || return 1
    stop || return 1

    local round before now
    for round in $(seq "$KILLS"); do
        echo "== killed under load, $round of $KILLS"
        start $((round + 1)) || return 1
        before=$(sql -e "show global status like 'Com_commit'" | cut -f 2)
        for client in $(seq $CLIENTS); do transfer_loop 100000000 $((client * 7919)) > "client.$client" 2>&1 & done
        busy() {
            runs
            now=$(sql -e "show global status like 'Com_commit'" | cut -f 2)
            [ "$((now - before))" -ge 1000 ]
        }
        await busy || return 1
        kill -KILL "$SERVER"
        wait
    done

    echo "== recovery"
    start $((KILLS + 2)) || return 1
    intact || return 1
    stop || return 1

    cat server.log.*
    for log in server.log.*; do
        grep -q 'Using Linux native AIO' "$log" || { echo "FAILED: $log: native AIO was not used"; return 1; }
    done
    [ "$(grep -l 'crash recovery' server.log.* | wc -l)" = "$KILLS" ] || { echo "FAILED: there was nothing to recover"; return 1; }
    ! grep -E 'io_getevents returned|\[ERROR\]|io_setup\(\)|fallback|corrupt|nable to lock' server.log.* ||
        { echo "FAILED: the server complained"; return 1; }
    for file in data/*/*.ibd; do
        innochecksum "$file" || { echo "FAILED: $file"; return 1; }
    done
    # The two extents from page 64 on are the doublewrite buffer: whatever was last written, and not checked.
    innochecksum --end-page=63 data/ibdata1 && innochecksum --start-page=192 data/ibdata1
}

PROOF=(io_setup io_submit io_destroy)
check "load, mixed work, kill -9, recovery, innochecksum" "preload drop-in" database

# Beside another allocator, a short one.
short_database() {
    ROWS=3000 TRANSFERS=150 KILLS=0
    database
}
check "a short load, jemalloc preloaded behind" preload beside behind libjemalloc.so.2 malloc short_database
check "a short load, mimalloc preloaded before" preload beside before libmimalloc.so.[23] malloc short_database

# Where there is no io_uring, with less of it.
small_database() {
    ROWS=10000
    database
}
check "a small one, without io_uring" "preload-eperm drop-in-enosys" small_database

# A server that may have no thread more than it starts with (RLIMIT_NPROC, not root): the smallest number is found by trying.
USER_OF_ITS_OWN=48211
few_threads() {
    local threads=10 log
    [ "$(id -u)" = 0 ] || skip "only root can become a user without rights"
    command -v setpriv > /dev/null || skip "no setpriv"
    mariadb-install-db --no-defaults --user="$(id -un)" --datadir="$WORK/data" --tmpdir="$WORK" \
        --auth-root-authentication-method=normal --skip-test-db > install.log 2>&1 || { cat install.log; return 1; }
    chmod 711 "$SCRATCH"
    # The checkout may lie in a folder that is root's alone.
    if [ "$ROUTE" != system ]; then
        cp "$LIBRARY" "$WORK/liburingaio.so"
        LIBRARY=$WORK/liburingaio.so
    fi
    # What the linker says of the commands before the server is root's, and it goes on in the same file.
    umask 0
    chown -R $USER_OF_ITS_OWN "$WORK"
    limited() {
        serve "$WORK/server.log.$threads" prlimit --nproc=$threads setpriv --reuid=$USER_OF_ITS_OWN --clear-groups mariadbd \
            --no-defaults --datadir="$WORK/data" --tmpdir="$WORK" --socket="$WORK/s" --skip-networking --innodb-use-native-aio=1 \
            --innodb-linux-aio=aio --innodb-flush-method=O_DIRECT --innodb-buffer-pool-size=16M --max-connections=50
        await tells
        pings
    }
    # A server that gives up may take connections, and hang.
    pings() { timeout 5 mariadb --no-defaults --user=root --socket="$WORK/s" -e 'select 1' > /dev/null 2>&1; }
    tells() { grep -qE '\[ERROR\]|could not be created' "$WORK/server.log.$threads" || ! kill -0 "$SERVER" 2> /dev/null || pings; }
    until limited; do
        kill -KILL "$SERVER" 2> /dev/null
        wait "$SERVER"
        threads=$((threads + 1))
        [ $threads -lt 40 ] || { cat "$WORK/server.log.39"; return 1; }
    done
    echo "== starts with $threads"
    server_is_ours "$SERVER" || return 1
    sql << END || return 1
create database few;
use few;
create table account (id int primary key, filler varchar(1000) not null) engine=innodb;
insert into account select seq, repeat(md5(seq), 28) from seq_1_to_5000;
update account set filler = repeat(md5(id + 1), 28) where id % 3 = 0;
flush tables account for export;
unlock tables;
END
    [ "$(sql few -e 'select count(*) from account where filler = repeat(md5(id + (id % 3 = 0)), 28)')" = 5000 ] ||
        { echo "FAILED: rows have foreign contents"; return 1; }
    stop || return 1
    log=$WORK/server.log.$threads
    cat "$log"
    grep -q 'Using Linux native AIO' "$log" || { echo "FAILED: native AIO was not used"; return 1; }
    ! grep -E 'io_getevents|io_submit|io_setup|\[ERROR\]|fallback' "$log" || { echo "FAILED: the server complained"; return 1; }
}
check "as few threads as it starts with" "preload" few_threads
