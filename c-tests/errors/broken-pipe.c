/* A write to a pipe or socket without a reader ends with EPIPE and without SIGPIPE [B4]: the program itself did not write,
   and the signal would end it (glibc's threads block it). */
#include "aiocb.h"
#include "process.h"

int main(void)
{
    int ends[2], pair[2];

    signal(SIGPIPE, SIG_DFL);
    make_pipe(ends);
    close(ends[0]);
    make_stream_pair(pair);
    close(pair[0]);
    for (int i = 0; i < 20; i++) {
        struct aiocb pipe_cb = make_cb(ends[1], "x", 1, 0), socket_cb = make_cb(pair[1], "x", 1, 0);

        CHECK_INT(aio_write(&pipe_cb), 0);
        CHECK_INT(aio_write(&socket_cb), 0);
        CHECK_ENDS_WITH(&pipe_cb, EPIPE);
        CHECK_ENDS_WITH(&socket_cb, EPIPE);
    }

    /* Nor when the reader goes away while the write waits. */
    char bytes[200000] = { 0 };
    make_pipe(ends);
    fill_up(ends[1]);
    struct aiocb cb = make_cb(ends[1], bytes, sizeof bytes, 0);
    CHECK_INT(aio_write(&cb), 0);
    CHECK_PENDING(&cb);
    close(ends[0]);
    CHECK_ENDS_WITH(&cb, EPIPE);
    CHECK_INT(signal_is_pending(SIGPIPE), 0);
    return 0;
}
