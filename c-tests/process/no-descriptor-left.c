/* A program that has used all its descriptor numbers before its first request can still do AIO [C2]. */
#include "aiocb.h"
#include "process.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1), ends[2];
    char in[10];

    make_pipe(ends);
    set_limit(RLIMIT_NOFILE, 64);
    while (dup(fd) >= 0)
        ;
    CHECK_INT(errno, EMFILE);
    for (int i = 0; i < 10; i++) {
        struct aiocb cb = make_cb(fd, in, sizeof in, 0), pipe_cb = make_cb(ends[0], in, 1, 0);

        CHECK_INT(aio_read(&cb), 0);
        CHECK_DONE(&cb, sizeof in);
        CHECK_INT(aio_read(&pipe_cb), 0);
        CHECK_INT(write(ends[1], "x", 1), 1);
        CHECK_DONE(&pipe_cb, 1);
        CHECK_INT(aio_fsync(O_SYNC, &cb), 0);
        CHECK_DONE(&cb, 0);
    }
    CHECK_FAILS(dup(fd), EMFILE);
    return 0;
}
