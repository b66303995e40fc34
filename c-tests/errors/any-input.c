/* No value in an aiocb's public fields ends the program: thousands of random ones give a status or an error [C8]. Buffers
   and notification functions are the program's responsibility, so they are valid or NULL. */
// unsanitized: valgrind -- it passes memory that cannot be touched
#include "aiocb.h"
#include "process.h"

static uint32_t state = 12345;

static uint32_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static long odd_number(void)
{
    static const long odd[] = { 0, 1, -1, 2, 3, 4, 7, 20, 21, 64, 65, 127, 128, 255, 4096, INT_MAX, INT_MIN, LONG_MAX, LONG_MIN,
                                INT64_MAX - 4095, UINT32_MAX, 0x7ffff000, -4096, 1L << 40 };

    return next_random() % 8 ? odd[next_random() % (sizeof odd / sizeof *odd)] : (long)next_random();
}

int main(void)
{
    static char bytes[1 << 16];
    int fd = pattern_file(O_RDWR, 1000, 1), null = MUST(open("/dev/null", O_RDWR | O_CLOEXEC)), closed = 900;
    int descriptors[] = { fd, fd, fd, null, closed, -1, INT_MAX, INT_MIN };
    sigset_t all;

    set_limit(RLIMIT_FSIZE, 1 << 20);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    for (int i = 0; i < 5000; i++) {
        struct aiocb cb, *list[] = { &cb };
        struct sigevent event;
        int result;

        memset(&cb, next_random(), sizeof cb);
        cb.aio_fildes = descriptors[next_random() % 8];
        cb.aio_buf = next_random() % 8 ? bytes : NULL;
        cb.aio_nbytes = next_random() % 4 ? next_random() % sizeof bytes : (size_t)odd_number() | 1UL << 63;
        cb.aio_offset = odd_number();
        cb.aio_reqprio = next_random() % 3 ? 0 : odd_number();
        cb.aio_lio_opcode = next_random() % 3 ? (int)(next_random() % 3) : odd_number();
        memset(&cb.aio_sigevent, 0, sizeof cb.aio_sigevent);
        cb.aio_sigevent.sigev_notify = next_random() % 3 ? SIGEV_NONE : odd_number();
        cb.aio_sigevent.sigev_signo = odd_number();
        if (cb.aio_sigevent.sigev_notify == SIGEV_THREAD)
            cb.aio_sigevent.sigev_notify = SIGEV_NONE;
        event = cb.aio_sigevent;
        switch (next_random() % 5) {
        case 0: result = aio_read(&cb); break;
        case 1: result = aio_write(&cb); break;
        case 2: result = aio_fsync(next_random() % 2 ? O_SYNC : odd_number(), &cb); break;
        case 3: result = lio_listio(next_random() % 2 ? LIO_WAIT : LIO_NOWAIT, list, 1, &event); break;
        default: result = lio_listio(odd_number(), list, 0, &event); break;
        }
        CHECK(result == 0 || result == -1);
        aio_cancel(cb.aio_fildes, next_random() % 2 ? NULL : &cb);
        if (aio_error(&cb) == EINPROGRESS)
            AWAIT_CB(&cb);
        aio_return(&cb);
    }
    return 0;
}
