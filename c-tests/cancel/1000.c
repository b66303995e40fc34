/* A thousand requests on one descriptor: every third is cancelled by its aiocb, the rest at once; each ends with ECANCELED,
   and none of the buffers is touched [B9]. */
#include "aiocb.h"

#define N 1000

int main(void)
{
    static char in[N];
    static struct aiocb cb[N];
    int ends[2];

    make_pipe(ends);
    memset(in, '?', N);
    for (int i = 0; i < N; i++) {
        cb[i] = make_cb(ends[0], &in[i], 1, 0);
        CHECK_INT(aio_read(&cb[i]), 0);
    }
    for (int i = 1; i < N; i += 3)
        CHECK_INT(aio_cancel(ends[0], &cb[i]), AIO_CANCELED);
    /* The ones in between still take their bytes in order. */
    CHECK_INT(write(ends[1], "abc", 3), 3);
    CHECK_DONE(&cb[0], 1);
    CHECK_DONE(&cb[2], 1);
    CHECK_DONE(&cb[3], 1);
    CHECK_INT(in[0], 'a');
    CHECK_INT(in[2], 'b');
    CHECK_INT(in[3], 'c');
    CHECK_INT(aio_cancel(ends[0], NULL), AIO_CANCELED);
    CHECK_INT(write(ends[1], "zzzzzzzz", 8), 8);
    for (int i = 0; i < N; i++) {
        if (i == 0 || i == 2 || i == 3)
            continue;
        CHECK_INT(aio_error(&cb[i]), ECANCELED);
        CHECK_INT(aio_return(&cb[i]), -1);
        CHECK_INT(in[i], '?');
    }
    CHECK_INT(aio_cancel(ends[0], NULL), AIO_ALLDONE);
    return 0;
}
