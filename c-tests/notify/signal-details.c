/* SIGEV_SIGNAL: the signal carries SI_ASYNCIO, the process's own id and user, and the request's value [B6] (POSIX 2.4.1,
   2.8.2). */
// unsanitized: valgrind -- Valgrind has its own way with signals, also beneath glibc
#include "aiocb.h"
#include "process.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1);
    char in[10];
    int signals[] = { SIGRTMIN, SIGRTMAX, SIGUSR1, SIGIO };

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct aiocb cb = make_cb(fd, in, sizeof in, 0);
        siginfo_t info;

        block_signal(signals[i]);
        notify_by_signal(&cb, signals[i], 0);
        cb.aio_sigevent.sigev_value.sival_ptr = &cb;
        CHECK_INT(aio_read(&cb), 0);
        info = take_signal(signals[i]);
        CHECK_INT(info.si_signo, signals[i]);
        CHECK_INT(info.si_code, SI_ASYNCIO);
        CHECK_INT(info.si_pid, getpid());
        CHECK_INT(info.si_uid, getuid());
        CHECK(info.si_value.sival_ptr == &cb);
        CHECK_INT(aio_error(&cb), 0);
        CHECK_INT(aio_return(&cb), sizeof in);

        /* A failed request tells its end too. */
        cb.aio_offset = -1;
        CHECK_INT(aio_read(&cb), 0);
        info = take_signal(signals[i]);
        CHECK(info.si_value.sival_ptr == &cb);
        CHECK_INT(aio_error(&cb), EINVAL);

        cb.aio_offset = 0;
        CHECK_INT(aio_fsync(O_SYNC, &cb), 0);
        info = take_signal(signals[i]);
        CHECK_INT(info.si_code, SI_ASYNCIO);
        CHECK_INT(aio_error(&cb), 0);
    }
    return 0;
}
