/* setgroups and setuid, for which the C library signals every thread (nptl(7)), work while threads wait for O_DIRECT
   requests, while one sleeps and has left some in flight, and while others wait for those [C4]: every request ends with the
   right bytes, and no call hangs. */
#include <grp.h>
#include <stdatomic.h>

#include "sleeper.h"

static int fd;
static atomic_int stop, busy;

static void *keep_busy(void *unused)
{
    while (!atomic_load(&stop)) {
        read_blocks(fd, 20);
        atomic_store(&busy, 1);
    }
    return unused;
}

static void *change_groups(void *unused)
{
    for (int i = 0; i < 300; i++)
        MUST(setgroups(0, NULL));
    return unused;
}

int main(void)
{
    pthread_t busy_threads[2], changer;
    struct sleeper sleeper = { 0 };

    if (getuid() != 0)
        SKIP("needs root to become another user");
    fd = direct_file();
    alarm(DEADLINE_SECONDS); /* setgroups hangs if a thread does not take the signal */
    for (int i = 0; i < 2; i++)
        busy_threads[i] = start_thread(keep_busy, NULL);
    WAIT_UNTIL(atomic_load(&busy));
    changer = start_thread(change_groups, NULL);
    for (int round = 0; round < 10; round++) {
        struct aiocb sync = make_cb(fd, NULL, 0, 0);

        start_sleeper(&sleeper, fd, 100);
        if (round % 2) {
            CHECK_INT(aio_fsync(O_DSYNC, &sync), 0);
            CHECK_DONE(&sync, 0);
        }
        check_sleeper(&sleeper);
        end_sleeper(&sleeper);
    }
    join_thread(changer);
    MUST(setgid(65534));
    MUST(setuid(65534));
    read_blocks(fd, 100);
    atomic_store(&stop, 1);
    for (int i = 0; i < 2; i++)
        join_thread(busy_threads[i]);
    return 0;
}
