/* More requests are in flight than the process may have descriptors, on a pipe in order and on a file: all end [B5] [C2]. */
// oracle-deadline: 30
#include "aiocb.h"
#include "process.h"

#define N 2000

static char in[N], out[N];
static struct aiocb cb[N], *list[N];

int main(void)
{
    int fd = pattern_file(O_RDWR, N, 1), ends[2];

    set_limit(RLIMIT_NOFILE, 64);
    make_pipe(ends);
    fill_pattern(out, N, 2);
    for (int i = 0; i < N; i++) {
        cb[i] = make_cb(ends[0], &in[i], 1, 0);
        CHECK_INT(aio_read(&cb[i]), 0);
    }
    /* A part first, so that the rest is held back while some of them end. */
    CHECK_INT(write(ends[1], out, 100), 100);
    for (int i = 0; i < 100; i++)
        CHECK_DONE(&cb[i], 1);
    CHECK_INT(write(ends[1], out + 100, N - 100), N - 100);
    for (int i = 100; i < N; i++)
        CHECK_DONE(&cb[i], 1);
    CHECK(is_pattern(in, N, 2));

    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < N; i++) {
            cb[i] = make_cb(fd, &in[i], 1, i);
            cb[i].aio_lio_opcode = LIO_READ;
            list[i] = &cb[i];
        }
        CHECK_INT(lio_listio(LIO_WAIT, list, N, NULL), 0);
        CHECK(is_pattern(in, N, 1));
    }
    return 0;
}
