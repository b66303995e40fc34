/* O_DIRECT writes and reads, many at a time, move the right bytes [B7]. */
#include "aiocb.h"

#define N 64
#define SIZE 4096

int main(void)
{
    int fd = temp_file(O_RDWR | O_DIRECT);
    char *out = aligned_alloc(4096, N * SIZE), *in = aligned_alloc(4096, N * SIZE);
    static struct aiocb cb[N];

    fill_pattern(out, N * SIZE, 1);
    for (int pass = 0; pass < 3; pass++) {
        for (int i = 0; i < N; i++) {
            int at = pass == 2 ? N - 1 - i : i;

            cb[i] = make_cb(fd, (pass ? in : out) + at * SIZE, SIZE, at * SIZE);
            CHECK_INT(pass ? aio_read(&cb[i]) : aio_write(&cb[i]), 0);
        }
        for (int i = 0; i < N; i++)
            CHECK_DONE(&cb[i], SIZE);
        if (pass)
            CHECK_INT(memcmp(in, out, N * SIZE), 0);
        memset(in, 0, N * SIZE);
    }
    return 0;
}
