/* lio_listio(LIO_WAIT) returns 0 when all is done: writes, then reads, each with its own result [B11]. Its sigevent is not
   used (POSIX lio_listio). */
#include "list.h"
#include "process.h"

#define N 20

int main(void)
{
    int fd = temp_file(O_RDWR), ends[2];
    char out[N][100], in[N][100];
    struct aiocb cb[N], *list[N];
    struct sigevent event = signal_event(SIGRTMIN, 1);

    block_signal(SIGRTMIN);
    for (int i = 0; i < N; i++) {
        fill_pattern(out[i], 100, i);
        cb[i] = make_entry(LIO_WRITE, fd, out[i], 100, i * 100);
        list[i] = &cb[i];
    }
    CHECK_INT(lio_listio(LIO_WAIT, list, N, &event), 0);
    for (int i = 0; i < N; i++) {
        CHECK_INT(aio_error(&cb[i]), 0);
        CHECK_INT(aio_return(&cb[i]), 100);
        cb[i] = make_entry(LIO_READ, fd, in[i], 100, i * 100);
    }
    CHECK_INT(lio_listio(LIO_WAIT, list, N, NULL), 0);
    for (int i = 0; i < N; i++) {
        CHECK_INT(aio_error(&cb[i]), 0);
        CHECK_INT(aio_return(&cb[i]), 100);
    }
    CHECK_INT(memcmp(in, out, sizeof in), 0);

    /* A pipe in one list with what feeds it. */
    make_pipe(ends);
    cb[0] = make_entry(LIO_READ, ends[0], in[0], 5, 0);
    cb[1] = make_entry(LIO_WRITE, ends[1], "hello", 5, 0);
    CHECK_INT(lio_listio(LIO_WAIT, list, 2, NULL), 0);
    CHECK_INT(memcmp(in[0], "hello", 5), 0);
    CHECK_INT(signal_is_pending(SIGRTMIN), 0);
    return 0;
}
