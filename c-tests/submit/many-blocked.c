/* Requests that block on three hundred pipes delay neither each other nor a file: they do not use up some small number of
   threads [B5]. */
// oracle-deadline: 2
#include "aiocb.h"

#define N 300

int main(void)
{
    static char in[N], byte;
    static struct aiocb cb[N];
    static int ends[N][2];
    int fd = pattern_file(O_RDWR, 100, 1);

    for (int i = 0; i < N; i++) {
        make_pipe(ends[i]);
        cb[i] = make_cb(ends[i][0], &in[i], 1, 0);
        CHECK_INT(aio_read(&cb[i]), 0);
    }
    struct aiocb file_cb = make_cb(fd, &byte, 1, 50);
    CHECK_INT(aio_read(&file_cb), 0);
    CHECK_DONE(&file_cb, 1);
    for (int i = N - 1; i >= 0; i--) {
        CHECK_INT(write(ends[i][1], "x", 1), 1);
        CHECK_DONE(&cb[i], 1);
    }
    return 0;
}
