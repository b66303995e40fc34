/* LIO_NOWAIT with entries that fail: what goes wrong later is in the aiocb, what cannot even be queued makes the call fail
   (with EIO in POSIX, with that entry's EINVAL in glibc); the others run, and the list still notifies its end [B4] [B11]. */
#include "list.h"
#include "process.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1);
    char in[3][10];
    struct aiocb cb[3], *list[3];
    struct sigevent event = signal_event(SIGRTMIN, 5);

    block_signal(SIGRTMIN);
    for (int i = 0; i < 3; i++) {
        cb[i] = make_entry(LIO_READ, fd, in[i], 10, i * 10);
        list[i] = &cb[i];
    }
    cb[1].aio_fildes = -1;
    CHECK_INT(lio_listio(LIO_NOWAIT, list, 3, &event), 0);
    CHECK_INT(take_signal(SIGRTMIN).si_value.sival_int, 5);
    CHECK_INT(aio_error(&cb[0]), 0);
    CHECK_INT(aio_error(&cb[1]), EBADF);
    CHECK_INT(aio_error(&cb[2]), 0);

    cb[1] = make_entry(LIO_READ, fd, in[1], 10, 0);
    cb[1].aio_reqprio = -1;
    CHECK_INT(lio_listio(LIO_NOWAIT, list, 3, &event), -1);
    CHECK(errno == EIO || errno == EINVAL);
    CHECK_INT(take_signal(SIGRTMIN).si_value.sival_int, 5);
    CHECK_DONE(&cb[0], 10);
    CHECK_ENDS_WITH(&cb[1], EINVAL);
    CHECK_DONE(&cb[2], 10);
    CHECK_INT(signal_is_pending(SIGRTMIN), 0);
    return 0;
}
