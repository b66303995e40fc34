/* A request that completes while the thread that submitted it waits in sigwaitinfo, sigtimedwait, sigsuspend or pause
   does not end that wait: only the signal does [C1]. */
#include "completes-during.h"

static pthread_t waiter;
static _Atomic int handled;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    handled++;
}

static void send_blocked(void)
{
    CHECK_INT(pthread_kill(waiter, SIGUSR1), 0);
}

static void send_handled(void)
{
    CHECK_INT(handled, 0);
    CHECK_INT(pthread_kill(waiter, SIGUSR2), 0);
}

int main(void)
{
    sigset_t set, none;
    siginfo_t info;

    waiter = pthread_self();
    block_signal(SIGUSR1);
    on_signal(SIGUSR2, handler, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigemptyset(&none);
    sigaddset(&none, SIGUSR1);
    for (int i = 0; i < 15; i++) {
        complete_during_wait(send_blocked);
        CHECK_INT(sigwaitinfo(&set, &info), SIGUSR1);
        completed_during_wait();

        complete_during_wait(send_blocked);
        CHECK_INT(sigtimedwait(&set, &info, &(struct timespec){ DEADLINE_SECONDS, 0 }), SIGUSR1);
        completed_during_wait();

        handled = 0;
        complete_during_wait(send_handled);
        CHECK_FAILS(sigsuspend(&none), EINTR);
        CHECK_INT(handled, 1);
        completed_during_wait();

        handled = 0;
        complete_during_wait(send_handled);
        CHECK_FAILS(pause(), EINTR);
        CHECK_INT(handled, 1);
        completed_during_wait();
    }
    return 0;
}
