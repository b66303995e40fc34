/* aio_suspend, aio_error and aio_return in a signal handler that interrupts the program anywhere, also inside aio_read,
   aio_cancel and lio_listio [B10] (POSIX 2.4.3 lists the three as async-signal-safe). */
// oracle-deadline: 5
#include "aiocb.h"
#include "process.h"

#include <stdatomic.h>

static struct aiocb finished, waiting;
static atomic_int handled;
static atomic_int stop;
static pthread_t main_thread;

static void handler(int signal, siginfo_t *info, void *context)
{
    const struct aiocb *both[] = { &waiting, &finished }, *one[] = { &waiting };
    int saved = errno;
    struct timespec zero = { 0, 0 }, soon = { 0, 1000 };

    (void)signal;
    (void)info;
    (void)context;
    if (aio_suspend(both, 2, NULL) != 0 || aio_suspend(one, 1, &zero) != -1 || errno != EAGAIN)
        _exit(2);
    if (aio_suspend(one, 1, &soon) != -1 || (errno != EAGAIN && errno != EINTR))
        _exit(3);
    if (aio_error(&finished) != 0 || aio_return(&finished) != 1 || aio_error(&waiting) != EINPROGRESS)
        _exit(4);
    errno = saved;
    handled++;
}

static void *interrupt(void *unused)
{
    (void)unused;
    while (!atomic_load(&stop)) {
        int before = handled;

        pthread_kill(main_thread, SIGUSR1);
        while (handled == before && !atomic_load(&stop))
            sched_yield();
    }
    return NULL;
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1), ends[2];
    char in, other;

    main_thread = pthread_self();
    make_pipe(ends);
    finished = make_cb(fd, &in, 1, 0);
    CHECK_INT(aio_read(&finished), 0);
    CHECK_DONE(&finished, 1);
    waiting = make_cb(ends[0], &other, 1, 0);
    CHECK_INT(aio_read(&waiting), 0);
    on_signal(SIGUSR1, handler, SA_RESTART);
    pthread_t thread = start_thread(interrupt, NULL);
    for (int i = 0; i < 1000 || handled < 500; i++) {
        struct aiocb cb = make_cb(fd, &in, 1, i % 100), behind = make_cb(ends[0], &other, 1, 0), *list[] = { &cb };

        CHECK_INT(aio_read(&cb), 0);
        CHECK_DONE(&cb, 1);
        cb.aio_lio_opcode = LIO_READ;
        CHECK_INT(lio_listio(LIO_NOWAIT, list, 1, NULL), 0);
        CHECK_DONE(&cb, 1);
        CHECK_INT(aio_read(&behind), 0);
        CHECK_INT(aio_cancel(ends[0], &behind), AIO_CANCELED);
    }
    atomic_store(&stop, 1);
    join_thread(thread);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_DONE(&waiting, 1);
    return 0;
}
