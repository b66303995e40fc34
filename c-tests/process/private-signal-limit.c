/* Where no signal can be queued any more (RLIMIT_SIGPENDING, getrlimit(2): a limit on the whole user's), requests that a
   thread has left in flight while it sleeps still end for those who wait for them. */
#include <sys/resource.h>

#include "prove.h"

int main(void)
{
    struct sleeper sleeper = { 0 };
    struct aiocb sync;
    int fd = direct_file();

    for (int round = 0; round < 4; round++) {
        set_limit(RLIMIT_SIGPENDING, round % 2 ? 0 : 1);
        start_sleeper(&sleeper, fd, 300);
        if (round < 2) {
            alarm(DEADLINE_SECONDS);
            sync = make_cb(fd, NULL, 0, 0);
            CHECK_INT(aio_fsync(O_SYNC, &sync), 0);
            CHECK_DONE(&sync, 0);
            alarm(0);
        }
        check_sleeper(&sleeper);
        end_sleeper(&sleeper);
    }
    return 0;
}
