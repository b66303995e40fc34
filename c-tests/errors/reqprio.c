/* aio_reqprio below 0 or above AIO_PRIO_DELTA_MAX: the call itself fails with EINVAL, nothing is queued and no
   notification is sent; every value in between is accepted [B4] [B14] (POSIX aio_read, EINVAL). */
#include "aiocb.h"
#include "process.h"

int main(void)
{
    long most = sysconf(_SC_AIO_PRIO_DELTA_MAX);
    int fd = temp_file(O_RDWR);
    char byte = 'x';

    CHECK(most >= 0);
    block_signal(SIGRTMIN);
    int bad[] = { -1, INT_MIN, (int)most + 1, INT_MAX };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct aiocb cb = make_cb(fd, &byte, 1, 0);

        notify_by_signal(&cb, SIGRTMIN, 1);
        cb.aio_reqprio = bad[i];
        CHECK_FAILS(aio_write(&cb), EINVAL);
        CHECK_FAILS(aio_read(&cb), EINVAL);
        CHECK(aio_error(&cb) != EINPROGRESS);
    }
    CHECK_INT(lseek(fd, 0, SEEK_END), 0);
    CHECK_INT(aio_cancel(fd, NULL), AIO_ALLDONE);

    for (int priority = 0; priority <= most; priority++) {
        struct aiocb cb = make_cb(fd, &byte, 1, priority);

        cb.aio_reqprio = priority;
        CHECK_INT(aio_write(&cb), 0);
        CHECK_DONE(&cb, 1);
    }
    CHECK_INT(lseek(fd, 0, SEEK_END), most + 1);
    CHECK_INT(signal_is_pending(SIGRTMIN), 0);
    return 0;
}
