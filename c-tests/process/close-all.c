/* A daemon closes every descriptor that it does not know, from 3 to 1023 and beyond, after its first request: AIO goes on,
   with files that get those numbers [C2]. LVM does so. */
#include "aiocb.h"
#include "process.h"

static void go_on(int fd)
{
    char out[100], in[100];
    struct aiocb cb = make_cb(fd, out, sizeof out, 0), sync_cb = make_cb(fd, NULL, 0, 0);

    fill_pattern(out, sizeof out, fd);
    CHECK_INT(aio_write(&cb), 0);
    CHECK_DONE(&cb, sizeof out);
    CHECK_INT(aio_fsync(O_DSYNC, &sync_cb), 0);
    CHECK_DONE(&sync_cb, 0);
    cb = make_cb(fd, in, sizeof in, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, sizeof in);
    CHECK(is_pattern(in, sizeof in, fd));
}

int main(void)
{
    int ends[2];
    char in = '?';

    go_on(temp_file(O_RDWR));
    for (int fd = 3; fd < 1024; fd++)
        close(fd);
    CHECK_INT(dup(0), 3);
    for (int i = 0; i < 20; i++)
        go_on(temp_file(O_RDWR));
    close_range(3, ~0U, 0);
    go_on(temp_file(O_RDWR));
    /* Every number given to something else. */
    make_pipe(ends);
    for (int fd = 10; fd < 1024; fd++)
        MUST(dup2(ends[1], fd));
    struct aiocb cb = make_cb(ends[0], &in, 1, 0);
    CHECK_INT(aio_read(&cb), 0);
    go_on(temp_file(O_RDWR));
    CHECK_PENDING(&cb);
    CHECK_INT(write(1000, "x", 1), 1);
    CHECK_DONE(&cb, 1);
    return 0;
}
