/* Requests on a stream socket take and give bytes in the order of the calls [B7]. */
#include "aiocb.h"
#include "process.h"

#define N 100
#define SIZE 512

int main(void)
{
    static char out[N][SIZE], in[N][SIZE], all[N * SIZE];
    static struct aiocb cb[N];
    int pair[2];

    make_stream_pair(pair);
    for (int i = 0; i < N; i++) {
        fill_pattern(out[i], SIZE, i);
        cb[i] = make_cb(pair[0], out[i], SIZE, 0);
        CHECK_INT(aio_write(&cb[i]), 0);
    }
    read_whole(pair[1], all, sizeof all);
    for (int i = 0; i < N; i++) {
        CHECK_DONE(&cb[i], SIZE);
        CHECK(is_pattern(all + i * SIZE, SIZE, i));
    }

    /* A read of one byte each, so that none can be short. */
    for (int i = 0; i < N; i++) {
        cb[i] = make_cb(pair[0], in[i], 1, 0);
        CHECK_INT(aio_read(&cb[i]), 0);
    }
    CHECK_INT(write(pair[1], out[7], N), N);
    for (int i = 0; i < N; i++) {
        CHECK_DONE(&cb[i], 1);
        CHECK_INT(in[i][0], out[7][i]);
    }
    return 0;
}
