// face: libaio
/* A signal that is let in only by io_pgetevents' mask and comes while it sleeps ends it with -EINTR [A7]. */
#include "iocb.h"

static io_context_t context;
static _Atomic int tid, result, handled;

static void handler(int number)
{
    (void)number;
    handled++;
}

static void *reaper(void *unused)
{
    struct io_event event;
    sigset_t none;

    sigemptyset(&none);
    atomic_store(&tid, gettid());
    atomic_store(&result, io_pgetevents(context, 1, 1, &event, NULL, &none));
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handler};
    sigset_t blocked;

    context = make_context(8);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(pthread_sigmask(SIG_BLOCK, &blocked, NULL) == 0);
    for (int round = 0; round < 20; round++) {
        pthread_t thread;

        tid = 0;
        result = 12345;
        CHECK(pthread_create(&thread, NULL, reaper, NULL) == 0);
        WAIT_UNTIL(tid && thread_sleeps(tid));
        /* Blocked outside, so one is enough wherever the thread is. */
        CHECK(pthread_kill(thread, SIGUSR1) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
        CHECK_INT(result, -EINTR);
        CHECK_INT(handled, round + 1);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
