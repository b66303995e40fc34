/* A process of one thread changes its descriptor table or its rights, as a daemon does at its start. There is no other thread
   from which it could differ: aio_read from an empty pipe returns at once, and the data comes later.

   [F7] aio_read(3): the call returns when the request is queued; unshare(2), setresuid(2), setfsuid(2). */
// unsanitized: tsan -- the runtime has a thread of its own
#include <sys/fsuid.h>

#include "aiocb.h"
#include "behaviour.h"

static int reads_later(void)
{
    static char byte;
    static struct aiocb cb;
    int ends[2];

    make_pipe(ends);
    cb = make_cb(ends[0], &byte, 1, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_PENDING(&cb);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_DONE(&cb, 1);
    CHECK_INT(byte, 'x');
    return 0;
}

int main(void)
{
    start_deadline();
    if (geteuid() != 0)
        SKIP("only root has rights to give up");
    for (int way = 0; way < 4; way++) {
        pid_t child = fork_child();

        if (child == 0) {
            STEP("a process of one thread");
            if (way == 0)
                MUST(unshare(CLONE_FILES));
            else if (way == 1)
                MUST(syscall(SYS_setresuid, 65534, 65534, 65534));
            else if (way == 2)
                setfsuid(65534);
            else
                MUST(syscall(SYS_close_range, 1000, 1000, 2 /* CLOSE_RANGE_UNSHARE */));
            _exit(reads_later());
        }
        CHECK_INT(exit_status(child), 0);
    }
    return 0;
}
