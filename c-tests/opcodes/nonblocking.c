/* With O_NONBLOCK a read without data and a write without room end with EAGAIN, and a write is cut where the buffer is
   full, as with read(2) and write(2) [B15] (POSIX aio_read: "as if read() with O_NONBLOCK"). */
#include "aiocb.h"

int main(void)
{
    /* More than a pipe takes, whose pages may have 64 KiB. */
    static char big[3000000];
    char in[10];

    for (int kind = 0; kind < 2; kind++) {
        int ends[2];

        if (kind == 0)
            MUST(pipe2(ends, O_NONBLOCK | O_CLOEXEC));
        else
            MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends));
        struct aiocb cb = make_cb(ends[0], in, sizeof in, 0);
        CHECK_INT(aio_read(&cb), 0);
        CHECK_ENDS_WITH(&cb, EAGAIN);
        CHECK_INT(write(ends[1], "abc", 3), 3);
        CHECK_INT(aio_read(&cb), 0);
        CHECK_DONE(&cb, 3);
        cb = make_cb(ends[1], big, sizeof big, 0);
        CHECK_INT(aio_write(&cb), 0);
        AWAIT_CB(&cb);
        CHECK_INT(aio_error(&cb), 0);
        CHECK(aio_return(&cb) > 0 && aio_return(&cb) < (ssize_t)sizeof big);
        fill_up(ends[1]);
        cb = make_cb(ends[1], big, 1, 0);
        CHECK_INT(aio_write(&cb), 0);
        CHECK_ENDS_WITH(&cb, EAGAIN);
    }
    return 0;
}
