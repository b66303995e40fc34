/* A request that waits behind another on a pipe is cancelled: AIO_CANCELED, ECANCELED and -1; its buffer is not touched,
   the other goes on, and those behind it move up [B9]. */
#include "aiocb.h"

int main(void)
{
    int ends[2];
    char in[3] = {'?', '?', '?'};
    struct aiocb cb[3];

    make_pipe(ends);
    for (int i = 0; i < 3; i++) {
        cb[i] = make_cb(ends[0], &in[i], 1, 0);
        CHECK_INT(aio_read(&cb[i]), 0);
    }
    CHECK_INT(aio_cancel(ends[0], &cb[1]), AIO_CANCELED);
    CHECK_INT(aio_error(&cb[1]), ECANCELED);
    CHECK_INT(aio_return(&cb[1]), -1);
    CHECK_INT(aio_cancel(ends[0], &cb[1]), AIO_ALLDONE);
    CHECK_PENDING(&cb[0]);
    CHECK_PENDING(&cb[2]);
    CHECK_INT(write(ends[1], "ab", 2), 2);
    CHECK_DONE(&cb[0], 1);
    CHECK_DONE(&cb[2], 1);
    CHECK_INT(memcmp(in, "a?b", 3), 0);
    CHECK_INT(aio_error(&cb[1]), ECANCELED);
    return 0;
}
