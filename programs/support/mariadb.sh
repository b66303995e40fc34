# What the scripts about MariaDB share: to ask the server of $WORK/s, and to see that it runs.
# shellcheck shell=bash

sql() { mariadb --no-defaults --user=root --socket="$WORK/s" --batch --skip-column-names "$@"; }

# A server that has ended is not waited for.
runs() { kill -0 "$SERVER" 2> /dev/null || { cat "$WORK/server.log"; echo "FAILED: the server has ended"; exit 1; }; }

answers() {
    runs
    sql -e 'select 1' > /dev/null 2>&1
}
