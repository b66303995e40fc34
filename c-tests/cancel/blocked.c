/* A read that waits for data, and a write that waits for room, on a pipe, a FIFO, a socket and a terminal are cancelled
   though they are in flight. What then comes is left to the next reader, and the buffer is not touched [B9]. */
// oracle-deadline: 2
#include "aiocb.h"

#include <pty.h>

static void cancel_read(int fd, int other)
{
    char in[8] = "???????", next[8] = "";
    struct aiocb cb = make_cb(fd, in, 3, 0);

    CHECK_INT(aio_read(&cb), 0);
    CHECK_PENDING(&cb);
    CHECK_INT(aio_cancel(fd, &cb), AIO_CANCELED);
    CHECK_INT(aio_error(&cb), ECANCELED);
    CHECK_INT(aio_return(&cb), -1);
    CHECK_INT(write(other, "ab\n", 3), 3);
    read_whole(fd, next, 3);
    CHECK_INT(memcmp(next, "ab\n", 3), 0);
    CHECK_INT(memcmp(in, "???????", 7), 0);
    CHECK_INT(aio_cancel(fd, &cb), AIO_ALLDONE);
    CHECK_INT(aio_error(&cb), ECANCELED);
}

static void cancel_write(int fd, int other)
{
    size_t filled = fill_up(fd);
    char *all = malloc(filled + 3);
    struct aiocb cb = make_cb(fd, "never", 5, 0);

    CHECK_INT(aio_write(&cb), 0);
    CHECK_PENDING(&cb);
    CHECK_INT(aio_cancel(fd, &cb), AIO_CANCELED);
    CHECK_INT(aio_error(&cb), ECANCELED);
    CHECK_INT(aio_return(&cb), -1);
    read_whole(other, all, filled);
    CHECK_INT(write(fd, "end", 3), 3);
    read_whole(other, all, 3);
    CHECK_INT(memcmp(all, "end", 3), 0);
    free(all);
}

int main(void)
{
    int ends[2], master, terminal;
    const char *path = test_path("fifo");

    for (int i = 0; i < 20; i++) {
        make_pipe(ends);
        cancel_read(ends[0], ends[1]);
        cancel_write(ends[1], ends[0]);
        close(ends[0]);
        close(ends[1]);
        make_stream_pair(ends);
        cancel_read(ends[0], ends[1]);
        cancel_write(ends[0], ends[1]);
        close(ends[0]);
        close(ends[1]);
    }
    MUST(mkfifo(path, 0600));
    ends[0] = MUST(open(path, O_RDWR));
    ends[1] = MUST(open(path, O_WRONLY));
    cancel_read(ends[0], ends[1]);
    if (openpty(&master, &terminal, NULL, NULL, NULL) == 0)
        cancel_read(terminal, master);
    return 0;
}
