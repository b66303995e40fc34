// face: libaio
/* io_pgetevents puts its mask in place for the wait: a signal blocked outside and pending before ends it with -EINTR,
   its handler having run, and the old mask is back afterwards [A7] (io_getevents(2)). */
#include "iocb.h"

static _Atomic int handled;

static void handler(int number)
{
    (void)number;
    handled++;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    io_context_t context = make_context(8);
    struct timespec hour = {3600, 0};
    sigset_t blocked, none, now;
    struct io_event event;

    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(pthread_sigmask(SIG_BLOCK, &blocked, NULL) == 0);
    for (int round = 0; round < 100; round++) {
        CHECK(raise(SIGUSR1) == 0);
        CHECK_INT(handled, round);
        CHECK_INT(io_pgetevents(context, 1, 1, &event, round % 2 ? &hour : NULL, &none), -EINTR);
        CHECK_INT(handled, round + 1);
        CHECK(pthread_sigmask(SIG_SETMASK, NULL, &now) == 0);
        CHECK(sigismember(&now, SIGUSR1) == 1);
        CHECK(sigismember(&now, SIGUSR2) == 0);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
