/* Writes to a descriptor with O_APPEND reach the file in the order of the calls [B7] (POSIX aio_write: "append to the end
   of the file in the same order as the calls were made"), whatever their sizes. */
#include "aiocb.h"

#define N 300

int main(void)
{
    int fd = temp_file(O_RDWR | O_APPEND);
    static char out[N][3000], in[3000];
    static struct aiocb cb[N];
    off_t at = 0;

    for (int i = 0; i < N; i++) {
        size_t size = 1 + (i * 7919) % 3000;

        fill_pattern(out[i], size, i);
        cb[i] = make_cb(fd, out[i], size, 0);
    }
    for (int i = 0; i < N; i++)
        CHECK_INT(aio_write(&cb[i]), 0);
    for (int i = 0; i < N; i++)
        CHECK_DONE(&cb[i], (long long)cb[i].aio_nbytes);
    for (int i = 0; i < N; i++) {
        CHECK_INT(pread(fd, in, cb[i].aio_nbytes, at), (long long)cb[i].aio_nbytes);
        if (!is_pattern(in, cb[i].aio_nbytes, i))
            FAIL("write %d is not at its place in the order", i);
        at += cb[i].aio_nbytes;
    }
    CHECK_INT(lseek(fd, 0, SEEK_END), at);
    return 0;
}
