/* Vectored requests keep the order that others have: appends and pipes in the order of the calls and whole, aio_fsync behind
   them; one that waits is cancelled, and leaves its buffers alone [B17] [B7] [B9]. */
// links: uringaio
#include "aiocb.h"

#include <sys/uio.h>

#define N 200

static char out[N][3][300];
static struct iovec vectors[N][3];
static struct aiocb cb[N];

static void write_all(int fd)
{
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < 3; j++) {
            memset(out[i][j], 'A' + i % 50, sizeof out[i][j]);
            vectors[i][j] = (struct iovec){ out[i][j], 1 + (i * 31 + j * 17) % 300 };
        }
        cb[i] = make_cb(fd, vectors[i], 3, 0);
        /* Among others. */
        if (i % 3 == 2)
            cb[i] = make_cb(fd, out[i][0], vectors[i][0].iov_len, 0);
        CHECK_INT(i % 3 == 2 ? aio_write(&cb[i]) : aio_writev(&cb[i]), 0);
    }
}

static long long size_of(int i)
{
    return vectors[i][0].iov_len + (i % 3 == 2 ? 0 : vectors[i][1].iov_len + vectors[i][2].iov_len);
}

static void check_order(int fd)
{
    char in[900];

    for (int i = 0; i < N; i++) {
        read_whole(fd, in, size_of(i));
        if (!is_all(in, size_of(i), 'A' + i % 50))
            FAIL("write %d is not at its place in the order", i);
    }
    for (int i = 0; i < N; i++)
        CHECK_DONE(&cb[i], size_of(i));
}

int main(void)
{
    int fd = temp_file(O_RDWR | O_APPEND), ends[2];
    char one[4] = "???", two[4] = "???", next[7] = "";
    struct iovec pair[2] = { { one, 3 }, { two, 3 } };
    struct aiocb reading, sync = make_cb(fd, NULL, 0, 0);

    write_all(fd);
    CHECK_INT(aio_fsync(O_SYNC, &sync), 0);
    CHECK_DONE(&sync, 0);
    for (int i = 0; i < N; i++)
        CHECK_INT(aio_error(&cb[i]), 0);
    check_order(fd);
    make_pipe(ends);
    write_all(ends[1]);
    check_order(ends[0]);

    reading = make_cb(ends[0], pair, 2, 0);
    CHECK_INT(aio_readv(&reading), 0);
    CHECK_PENDING(&reading);
    CHECK_INT(aio_cancel(ends[0], &reading), AIO_CANCELED);
    CHECK_INT(aio_error(&reading), ECANCELED);
    CHECK_INT(aio_return(&reading), -1);
    CHECK_INT(write(ends[1], "abcdef", 6), 6);
    read_whole(ends[0], next, 6);
    CHECK_INT(memcmp(next, "abcdef", 6), 0);
    CHECK(is_all(one, 3, '?') && is_all(two, 3, '?'));
    return 0;
}
