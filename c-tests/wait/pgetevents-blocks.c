// face: libaio
/* A signal that io_pgetevents' mask blocks does not end it; its handler runs when the call is over [A7]. */
#include "iocb.h"

static io_context_t context;
static _Atomic int tid, result, handled, handled_inside;

static void handler(int number)
{
    (void)number;
    handled++;
}

static void *reaper(void *unused)
{
    struct io_event event;
    sigset_t all;

    sigfillset(&all);
    atomic_store(&tid, gettid());
    result = io_pgetevents(context, 1, 1, &event, NULL, &all);
    WAIT_UNTIL(handled > 0);
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handler};
    int ends[2];
    pthread_t thread;
    struct iocb poll;

    context = make_context(8);
    CHECK(pipe(ends) == 0);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    result = 12345;
    CHECK(pthread_create(&thread, NULL, reaper, NULL) == 0);
    WAIT_UNTIL(tid && thread_sleeps(tid));
    /* SIGUSR1 is open outside; should the thread not be in the call yet, the handler runs and says so. */
    CHECK(pthread_kill(thread, SIGUSR1) == 0);
    for (int i = 0; i < 50; i++)
        usleep(1000);
    handled_inside = handled;
    CHECK_INT(result, 12345);
    io_prep_poll(&poll, ends[0], POLLIN);
    submit_one(context, &poll);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_INT(result, 1);
    CHECK_INT(handled_inside, 0);
    CHECK_INT(handled, 1);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
