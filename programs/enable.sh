#!/bin/bash
# `uringaio enable` and `disable`: what is written for a unit, what is refused, and that the service runs on it. The units are in
# trees of their own, and what systemctl would do is done by a stand-in; systemd-analyze, where it is installed, reads the result.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$TOP/programs/support/command.sh"

UNITS=etc/systemd/system
INSTALLED=/usr/lib/liburingaio.so.1

# A tree with uringaio installed and a program that calls POSIX AIO, reads once and waits.
tree() {
    built || return 1
    mkdir -p "tree/$UNITS" tree/usr/bin tree/usr/lib tree/etc/default
    cp "$LIBRARY" "tree$INSTALLED"
    cat > server.c << 'END'
#include <aio.h>
#include <unistd.h>
int main(void)
{
    static char buffer[16];
    struct aiocb request = { .aio_buf = buffer, .aio_nbytes = sizeof buffer };
    if (aio_read(&request)) return 1;
    return pause();
}
END
    c_compiler -o tree/usr/bin/server server.c
}

# unit NAME LINE…: a unit with these lines in its service part.
unit() {
    local name=$1
    shift
    printf '%s\n' '[Service]' "$@" > "tree/$UNITS/$name"
}

written() { # NAME: the drop-in without its first line
    tail -n +2 "tree/$UNITS/$1.d/50-uringaio.conf"
}

plain_unit() {
    tree || return 1
    unit server.service ExecStart=/usr/bin/server
    status 0 "$URINGAIO" enable --dry-run --root tree server && told 'would be written to' "LD_PRELOAD=$INSTALLED" || return 1
    [ ! -e "tree/$UNITS/server.service.d" ] || fail "--dry-run wrote something"
    status 0 "$URINGAIO" enable --root tree server && told 'Not checked' || return 1
    written server.service > first
    printf '[Service]\nEnvironment=LD_PRELOAD=%s\nLimitMEMLOCK=64M\n' "$INSTALLED" | diff first - || return 1
    # A second time changes nothing.
    status 0 "$URINGAIO" enable --root tree server.service && written server.service | diff first - || return 1
    # One interface alone, by the name of the variable that the library reads.
    status 0 "$URINGAIO" enable --dry-run --interface posix --root tree server && told Environment=URINGAIO_INTERFACE=posix || return 1
    status 0 "$URINGAIO" disable --dry-run --root tree server && [ -e "tree/$UNITS/server.service.d/50-uringaio.conf" ] || return 1
    status 0 "$URINGAIO" disable --root tree server && [ ! -e "tree/$UNITS/server.service.d" ] || fail "something was left"
    status 0 "$URINGAIO" disable --root tree server && told 'was not enabled'
}

# What the unit has already is kept, and what it lacks is added.
unit_with_settings() {
    tree || return 1
    unit server.service 'ExecStart=-/usr/bin/server \' '  --option' 'Environment="LD_PRELOAD=/usr/lib/other.so" A=b' 'LimitMEMLOCK=infinity' \
        'SystemCallFilter=@basic-io @file-system'
    mkdir -p "tree/$UNITS/server.service.d"
    echo '# mine' > "tree/$UNITS/server.service.d/10-mine.conf"
    ln -s server.service "tree/$UNITS/alias.service"
    status 0 "$URINGAIO" enable --root tree --raw alias || return 1
    written server.service | diff - <(printf '%s\n' '[Service]' "Environment=LD_PRELOAD=$INSTALLED:/usr/lib/other.so" \
        Environment=URINGAIO_RAW=1 'SystemCallFilter=io_uring_setup io_uring_enter io_uring_register') || return 1
    if command -v systemd-analyze > /dev/null; then
        # It may miss what a whole system has; of this file it must not complain.
        SYSTEMD_UNIT_PATH=$PWD/tree/$UNITS: systemd-analyze verify "$PWD/tree/$UNITS/server.service" > analysed 2>&1
        ! grep 50-uringaio analysed || return 1
    fi
    status 0 "$URINGAIO" disable --root tree alias && [ -e "tree/$UNITS/server.service.d/10-mine.conf" ] || return 1
    # An instance of a template has a drop-in of its own.
    unit many@.service ExecStart=/usr/bin/server 'SystemCallFilter=@system-service'
    status 0 "$URINGAIO" enable --root tree many@one && written many@one.service > instance || return 1
    ! grep SystemCallFilter instance
}

# A database whose setting decides whether there is anything to serve.
unit_of_a_database() {
    tree || return 1
    stand_in_for_a_server || return 1
    cp mariadbd tree/usr/bin/ && cp liburing.so.2 libaio.so.1 tree/usr/lib/ || return 1
    unit db.service ExecStart=/usr/bin/mariadbd
    status 0 "$URINGAIO" enable --dry-run --root tree db && told 'Until this is set, nothing changes' innodb_linux_aio=aio || return 1
    unit db.service 'ExecStart=/usr/bin/mariadbd --innodb-linux-aio=aio'
    status 0 "$URINGAIO" enable --dry-run --root tree db && told 'told to use libaio' || return 1
    grep -q 'Until this is set' out && fail "it is set"
    return 0
}

# A shell that becomes the program, as in MariaDB's unit of Debian 13; and one of which it cannot be seen what it starts.
unit_of_a_shell() {
    tree && stand_in_for_a_server || return 1
    cp mariadbd tree/usr/bin/ && cp liburing.so.2 libaio.so.1 tree/usr/lib/ && cp /bin/sh tree/usr/bin/ || return 1
    unit db.service 'ExecStart=/usr/bin/sh -c "set -f; [ -e /nothing ] && V= || \' ' V=`/usr/bin/x`; exec /usr/bin/mariadbd $V"'
    status 0 "$URINGAIO" enable --dry-run --root tree db && told 'Until this is set, nothing changes' innodb_linux_aio=aio || return 1
    unit db.service "ExecStart=/usr/bin/sh -c 'cd /srv && ./server'"
    status 0 "$URINGAIO" enable --dry-run --root tree db && told 'was not looked into' LD_PRELOAD= || return 1
    cp /bin/true tree/usr/bin/ && unit db.service "ExecStart=/usr/bin/sh -c 'exec /usr/bin/true'"
    status 126 "$URINGAIO" enable --dry-run --root tree db && grep -q '/usr/bin/true calls neither' err
}

# A stand-in for systemctl: it starts the service's program with the variables of the drop-in, unless $BROKEN says otherwise.
stand_in_for_systemctl() {
    mkdir -p bin
    cat > bin/systemctl << 'END'
#!/bin/bash
cd "$STATE" || exit 1
case $1 in
    show)
        case $2 in
            *=Version) echo Version=252 ;;
            *=Result) echo Result=success ;;
            *) echo "MainPID=$(cat process 2> /dev/null || echo 0)" ;;
        esac ;;
    daemon-reload) [ "$BROKEN" != reload ] || { echo 'no bus' >&2; exit 1; } ;;
    restart)
        variables=$(sed -n 's/^Environment=//p' "/etc/systemd/system/$2.d/50-uringaio.conf" 2> /dev/null)
        [ "$BROKEN" != deaf ] || variables=
        [ ! -e process ] || kill "$(cat process)"
        # shellcheck disable=SC2086 # one a word
        env $variables ./server > /dev/null 2>&1 &
        echo $! > process
        echo "$! $(sed 's/.*) //' "/proc/$!/stat" | cut -d ' ' -f 20)" >> "$STARTED" ;; # as 'started' of lib.sh
esac
END
    chmod +x bin/systemctl
    cp tree/usr/bin/server server
}

# Runs a command on the machine's own paths, with the units of ./units in a mount namespace.
# shellcheck disable=SC2016 # expanded inside
IN_PLACE=(unshare -m sh -c 'mkdir -p /etc/systemd/system && mount --bind "$STATE/units" /etc/systemd/system &&
    PATH=$STATE/bin:$PATH exec "$@"' sh)

service_runs_on_it() {
    [ "$(id -u)" = 0 ] && quietly unshare -m true || skip "no mount namespace"
    tree && stand_in_for_systemctl || return 1
    export STATE=$PWD STARTED BROKEN=
    mkdir units && printf '[Service]\nExecStart=%s/server\n' "$PWD" > units/server.service
    status 0 "${IN_PLACE[@]}" "$URINGAIO" enable --library "$LIBRARY" server && told 'The service is not running' || return 1
    status 0 "${IN_PLACE[@]}" "$URINGAIO" enable --library "$LIBRARY" --restart server && told 'Checked: process' 'has the library loaded' || return 1
    grep -q liburingaio "/proc/$(cat process)/maps" || fail "it has not"
    await quietly "$URINGAIO" stat --once "$(cat process)" || return 1
    status 0 "${IN_PLACE[@]}" "$URINGAIO" disable server && told 'runs as before until' || return 1
    status 0 "${IN_PLACE[@]}" "$URINGAIO" disable server && told 'was not enabled' || return 1
    # A service that does not get there is put back.
    BROKEN=deaf
    status 1 "${IN_PLACE[@]}" "$URINGAIO" enable --library "$LIBRARY" --restart server && grep -q 'everything was put back' err || return 1
    [ ! -e units/server.service.d ] || fail "the drop-in was left"
}

# systemd itself, in namespaces of its own over a root that takes what is written: no other unit runs there.
boot_systemd() {
    local manager
    for manager in /usr/lib/systemd/systemd /lib/systemd/systemd; do [ ! -x "$manager" ] || break; done
    [ -x "$manager" ] && command -v nsenter > /dev/null || skip "systemd is not installed"
    [ "$(id -u)" = 0 ] && quietly unshare -mpfuiC true || skip "no namespaces"
    mkdir root
    cat > boot << 'END'
mount -t tmpfs none root && mkdir root/upper root/work root/all &&
    mount -t overlay none -o lowerdir=/,upperdir=root/upper,workdir=root/work root/all && cd root/all && mount -t proc proc proc &&
    mount -t sysfs sys sys && mount -t cgroup2 none sys/fs/cgroup && mount --rbind /dev dev && mount -t tmpfs none run || exit 77
rm -rf etc/systemd/system && mkdir -p etc/systemd/system opt && cp "$2"/* opt/ &&
    printf '[Unit]\nDefaultDependencies=no\n' > etc/systemd/system/check.target || exit 1
exec chroot . env -i container=check PATH=/usr/sbin:/usr/bin:/sbin:/bin "$1" --unit=check.target --show-status=0
END
    mkdir opt && cp "$URINGAIO" tree/usr/bin/server opt && cp "$LIBRARY" opt/liburingaio.so || return 1
    printf '%s\n' '[Unit]' DefaultDependencies=no '[Service]' > opt/server.service
    cp opt/server.service opt/wary.service
    printf '%s\n' ExecStart=/opt/server SystemCallFilter=@system-service >> opt/server.service
    # shellcheck disable=SC2016 # expanded inside
    printf '%s\n' Type=oneshot RemainAfterExit=yes "ExecStart=/bin/sh -c 'test -z \"\$\$LD_PRELOAD\"'" >> opt/wary.service
    unshare -mpfuiC --kill-child sh boot "$manager" "$PWD/opt" > boot.log 2>&1 &
    started $!
    SHELL_OF=$! BOOT_LIMIT=$((SECONDS + 30))
    await booted || { cat boot.log; return 1; }
}

# Where it refuses something of this machine, it ends, or stops and never answers.
booted() {
    kill -0 "$SHELL_OF" 2> /dev/null && [ $SECONDS -lt "$BOOT_LIMIT" ] || skip "systemd cannot be run here: $(tail -n 1 boot.log)"
    MANAGER=$(pgrep -P "$SHELL_OF") && quietly inside systemctl show --property=Version
}

inside() { timeout "$LIMIT" nsenter -t "$MANAGER" -m -p -u -i -C -r -w "$@"; }

under_systemd() {
    tree && boot_systemd || return 1
    local process
    inside sh -c 'cp /opt/server.service /etc/systemd/system && systemctl daemon-reload && systemctl start server' || return 1
    inside /opt/uringaio enable --restart server > out 2> err || { cat out err; return 1; }
    told 'Checked: process' 'LimitMEMLOCK=64M'
    process=$(inside systemctl show -P MainPID server)
    inside grep -q liburingaio "/proc/$process/maps" || fail "it does not have the library"
    [ "$(inside systemctl show -P LimitMEMLOCK server)" = 67108864 ] || fail "the limit is not there"
    inside /opt/uringaio disable --restart server || return 1
    process=$(inside systemctl show -P MainPID server)
    await inside grep -q opt/server "/proc/$process/maps" || return 1
    ! inside grep liburingaio "/proc/$process/maps" || fail "it still has the library"
    # A service that does not start with it is put back, and runs again as before.
    inside sh -c 'cp /opt/wary.service /etc/systemd/system && systemctl daemon-reload && systemctl start wary' || return 1
    ! inside /opt/uringaio enable --restart wary > out 2> err || { cat out err; fail "that should have failed"; }
    cat err
    [ "$(inside systemctl is-active wary)" = active ] || fail "it was not put back"
    ! inside test -e /etc/systemd/system/wary.service.d || fail "the drop-in was left"
}

lines_for_a_container() {
    built || return 1
    status 0 "$URINGAIO" enable --container --raw --library "$LIBRARY" || return 1
    told 'COPY liburingaio.so.1' 'ENV LD_PRELOAD=/usr/local/lib/liburingaio.so.1' 'ENV URINGAIO_RAW=1' "$LIBRARY" \
        'docker run -e LD_PRELOAD=/usr/local/lib/liburingaio.so.1 -e URINGAIO_RAW=1' || return 1
    # The profile that is named is there, installed or not.
    [ -s "$(sed -n 's/^ *- seccomp=//p' out)" ] || fail "there is no such profile"
}

check "enable and disable" command plain_unit
check "what a unit has already is kept" command unit_with_settings
check "a database whose setting decides" command unit_of_a_database
check "a shell that becomes the program" command unit_of_a_shell
check "the service runs on it, or is put back" command service_runs_on_it
check "under systemd itself" command under_systemd
check "lines for a container" command lines_for_a_container
