/* No thread but the program's own takes the process's signals [C4]: with the program's threads blocking them, a signal to
   the process stays pending until the program takes it. */
// unsanitized: valgrind -- Valgrind has its own way with signals, also beneath glibc
#include "aiocb.h"
#include "process.h"

static volatile int handled;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    handled++;
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1), ends[2];
    int signals[] = { SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGALRM, SIGCHLD, SIGRTMIN, SIGRTMAX };
    char in[10];

    make_pipe(ends);
    /* The library's threads start while nothing is blocked. */
    struct aiocb cb = make_cb(fd, in, sizeof in, 0), pipe_cb = make_cb(ends[0], in, 1, 0);
    CHECK_INT(aio_read(&pipe_cb), 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, sizeof in);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        on_signal(signals[i], handler, 0);
        block_signal(signals[i]);
        MUST(kill(getpid(), signals[i]));
        CHECK_INT(aio_read(&cb), 0);
        CHECK_DONE(&cb, sizeof in);
        CHECK_INT(handled, 0);
        CHECK(signal_is_pending(signals[i]));
        take_signal(signals[i]);
    }
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_DONE(&pipe_cb, 1);
    CHECK_INT(handled, 0);
    return 0;
}
