/* lio_listio with LIO_WAIT returns when the signals of its entries have been sent: reads that are in the page cache, whose
   signal is blocked, are all pending then.

   [B6] [B11] glibc notifies for a request before it counts it as done (sysdeps/pthread/aio_notify.c, __aio_notify). */
#include "aiocb.h"
#include "behaviour.h"

#define N 3
#define ROUNDS 300

int main(void)
{
    int fd;
    char bytes[N];

    start_deadline();
    block_signal(SIGRTMIN);
    fd = scratch_file("file", O_RDWR, 4096, 1);
    for (int round = 0; round < ROUNDS; round++) {
        struct aiocb cbs[N], *list[N];
        struct timespec now = { 0, 0 };
        sigset_t set;

        for (int i = 0; i < N; i++) {
            cbs[i] = make_cb(fd, &bytes[i], 1, i);
            cbs[i].aio_lio_opcode = LIO_READ;
            notify_by_signal(&cbs[i], SIGRTMIN, i);
            list[i] = &cbs[i];
        }
        CHECK_INT(lio_listio(LIO_WAIT, list, N, NULL), 0);
        sigemptyset(&set);
        sigaddset(&set, SIGRTMIN);
        for (int i = 0; i < N; i++)
            CHECK_INT(sigtimedwait(&set, NULL, &now), SIGRTMIN);
    }
    return 0;
}
