/* A program in an empty root directory, without /proc and /dev, can begin to use AIO [C6] (daemons do so after chroot). */
#include "aiocb.h"
#include "process.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1), ends[2];
    char in[10];
    const char *empty = test_path("empty");

    make_pipe(ends);
    MUST(mkdir(empty, 0755));
    if (chroot(empty) == -1)
        SKIP("chroot: %s", strerror(errno));
    MUST(chdir("/"));
    for (int i = 0; i < 5; i++) {
        struct aiocb cb = make_cb(fd, in, sizeof in, 0), pipe_cb = make_cb(ends[0], in, 1, 0);

        CHECK_INT(aio_read(&pipe_cb), 0);
        CHECK_INT(aio_read(&cb), 0);
        CHECK_DONE(&cb, sizeof in);
        CHECK_INT(write(ends[1], "x", 1), 1);
        CHECK_DONE(&pipe_cb, 1);
    }
    return 0;
}
