/* Where no signal can be queued any more (RLIMIT_SIGPENDING, getrlimit(2): a limit on the whole user's), requests that a
   thread has left in flight while it sleeps still end for those who wait for them. */
#include <stdatomic.h>
#include <sys/resource.h>

#include "prove.h"

static int fd, ends[2];
static struct left left;
static _Atomic pid_t away;

static void *submitter(void *unused)
{
    char byte;

    prove(fd, 300);
    leave(fd, &left, 16);
    atomic_store(&away, this_thread());
    read_whole(ends[0], &byte, 1);
    return unused;
}

int main(void)
{
    pthread_t thread;
    struct aiocb sync;

    fd = direct_file();
    make_pipe(ends);
    for (int round = 0; round < 4; round++) {
        set_limit(RLIMIT_SIGPENDING, round % 2 ? 0 : 1);
        atomic_store(&away, 0);
        thread = start_thread(submitter, NULL);
        WAIT_UNTIL(atomic_load(&away) && thread_sleeps(atomic_load(&away)));
        if (round < 2) {
            alarm(DEADLINE_SECONDS);
            sync = make_cb(fd, NULL, 0, 0);
            CHECK_INT(aio_fsync(O_SYNC, &sync), 0);
            CHECK_DONE(&sync, 0);
            alarm(0);
        }
        check_left(&left, 16);
        CHECK_INT(write(ends[1], "x", 1), 1);
        join_thread(thread);
    }
    return 0;
}
