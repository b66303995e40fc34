/* A write to a pipe or socket that has moved some of its bytes is in progress: AIO_NOTCANCELED, and it goes on to its end
   [B9]. */
#include "aiocb.h"

static void half_written(int write_end, int read_end)
{
    static char out[1 << 20], in[1 << 20];
    struct aiocb cb = make_cb(write_end, out, sizeof out, 0);
    struct aiocb behind = make_cb(write_end, "behind", 6, 0);

    fill_pattern(out, sizeof out, 9);
    CHECK_INT(aio_write(&cb), 0);
    CHECK_INT(aio_write(&behind), 0);
    read_whole(read_end, in, 100);
    CHECK_INT(aio_cancel(write_end, &cb), AIO_NOTCANCELED);
    CHECK_PENDING(&cb);
    /* One that can be cancelled among them makes no AIO_CANCELED of it. */
    CHECK_INT(aio_cancel(write_end, NULL), AIO_NOTCANCELED);
    CHECK_INT(aio_error(&behind), ECANCELED);
    CHECK_PENDING(&cb);
    read_whole(read_end, in + 100, sizeof in - 100);
    CHECK_DONE(&cb, sizeof out);
    CHECK(is_pattern(in, sizeof in, 9));
    CHECK_INT(aio_cancel(write_end, NULL), AIO_ALLDONE);
}

int main(void)
{
    int ends[2];

    for (int i = 0; i < 5; i++) {
        make_pipe(ends);
        half_written(ends[1], ends[0]);
        make_stream_pair(ends);
        half_written(ends[0], ends[1]);
    }
    return 0;
}
