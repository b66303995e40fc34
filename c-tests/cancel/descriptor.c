/* aio_cancel(fd, NULL) cancels everything that is outstanding on that descriptor, in flight and waiting, and nothing on
   another one [B9]. */
// oracle-deadline: 2
#include "aiocb.h"

#define N 10

int main(void)
{
    int ends[2], other[2];
    char in[N], other_in = '?';
    struct aiocb cb[N];

    memset(in, '?', N);
    make_pipe(ends);
    make_pipe(other);
    struct aiocb other_cb = make_cb(other[0], &other_in, 1, 0);
    CHECK_INT(aio_read(&other_cb), 0);
    for (int i = 0; i < N; i++) {
        cb[i] = make_cb(ends[0], &in[i], 1, 0);
        CHECK_INT(aio_read(&cb[i]), 0);
    }
    CHECK_INT(aio_cancel(ends[0], NULL), AIO_CANCELED);
    for (int i = 0; i < N; i++) {
        CHECK_INT(aio_error(&cb[i]), ECANCELED);
        CHECK_INT(aio_return(&cb[i]), -1);
    }
    CHECK_INT(aio_cancel(ends[0], NULL), AIO_ALLDONE);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK(is_all(in, N, '?'));

    CHECK_PENDING(&other_cb);
    CHECK_INT(write(other[1], "y", 1), 1);
    CHECK_DONE(&other_cb, 1);
    CHECK_INT(other_in, 'y');

    /* The descriptor goes on. */
    cb[0] = make_cb(ends[0], in, 1, 0);
    CHECK_INT(aio_read(&cb[0]), 0);
    CHECK_DONE(&cb[0], 1);
    CHECK_INT(in[0], 'x');
    return 0;
}
