/* Ten thousand requests in flight: none is refused, each ends [B5]. They wait on one pipe, in order. */
#include "aiocb.h"

#define N 10000

int main(void)
{
    static char in[N], out[N];
    static struct aiocb cb[N];
    int ends[2];

    make_pipe(ends);
    fill_pattern(out, N, 3);
    for (int i = 0; i < N; i++) {
        cb[i] = make_cb(ends[0], &in[i], 1, 0);
        CHECK_INT(aio_read(&cb[i]), 0);
    }
    for (int i = 0; i < N; i++)
        CHECK_PENDING(&cb[i]);
    CHECK_INT(write(ends[1], out, N), N);
    for (int i = 0; i < N; i++)
        CHECK_DONE(&cb[i], 1);
    CHECK_INT(memcmp(in, out, N), 0);
    return 0;
}
