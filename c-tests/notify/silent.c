/* SIGEV_NONE, and a sigevent of zeros (SIGEV_SIGNAL with signal 0): no signal, no callback [B6]. GlusterFS only memsets its
   aiocbs. */
#include "aiocb.h"
#include "process.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1);
    char in[10];
    sigset_t all;
    struct aiocb cb;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    for (int i = 0; i < 50; i++) {
        struct aiocb *list[] = { &cb };

        memset(&cb, 0, sizeof cb);
        cb.aio_fildes = fd;
        cb.aio_buf = in;
        cb.aio_nbytes = sizeof in;
        cb.aio_lio_opcode = LIO_READ;
        CHECK_INT(aio_read(&cb), 0);
        CHECK_DONE(&cb, sizeof in);
        CHECK_INT(lio_listio(LIO_NOWAIT, list, 1, NULL), 0);
        CHECK_DONE(&cb, sizeof in);
        /* Other fields set, but SIGEV_NONE. */
        notify_by_signal(&cb, SIGRTMIN, 5);
        cb.aio_sigevent.sigev_notify = SIGEV_NONE;
        CHECK_INT(aio_read(&cb), 0);
        CHECK_DONE(&cb, sizeof in);
    }
    /* A last one that tells, so that anything sent before it would be there. */
    notify_by_signal(&cb, SIGRTMIN + 1, 5);
    CHECK_INT(aio_read(&cb), 0);
    take_signal(SIGRTMIN + 1);
    sigset_t pending;
    MUST(sigpending(&pending));
    for (int signal = 1; signal <= SIGRTMAX; signal++)
        if (signal != 32 && signal != 33 && sigismember(&pending, signal))
            FAIL("signal %d was sent", signal);
    return 0;
}
