/* setuid, setgid and their kin work after AIO was used (libc has every thread take part, by a signal of its own), and
   requests go on after them [C4]. A file opened before stays usable. */
#include "aiocb.h"
#include "process.h"

#include <grp.h>

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1), ends[2];
    char in[10];

    if (getuid() != 0)
        SKIP("needs root to become another user");
    make_pipe(ends);
    struct aiocb cb = make_cb(fd, in, sizeof in, 0), pipe_cb = make_cb(ends[0], in, 1, 0);
    CHECK_INT(aio_read(&pipe_cb), 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, sizeof in);
    alarm(DEADLINE_SECONDS); /* setgid hangs if a thread does not take libc's signal */
    MUST(setgroups(0, NULL));
    MUST(setgid(65534));
    MUST(setuid(65534));
    alarm(0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, sizeof in);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_DONE(&pipe_cb, 1);
    pipe_cb = make_cb(ends[0], in, 1, 0);
    CHECK_INT(aio_read(&pipe_cb), 0);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_DONE(&pipe_cb, 1);
    return 0;
}
