/* A signal that io_pgetevents' mask blocks does not end it; its handler runs when the call is over (A7). */
#include "libaio-test.h"

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
    WAIT_FOR(handled > 0);
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handler};
    int ends[2];
    pthread_t thread;
    struct iocb poll;

    context = context_of(8);
    CHECK(pipe(ends) == 0);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    result = 12345;
    CHECK(pthread_create(&thread, NULL, reaper, NULL) == 0);
    WAIT_FOR(tid && thread_state(tid) == 'S');
    /* SIGUSR1 is open outside; should the thread not be in the call yet, the handler runs and says so. */
    CHECK(pthread_kill(thread, SIGUSR1) == 0);
    for (int i = 0; i < 50; i++)
        usleep(1000);
    handled_inside = handled;
    EQ(result, 12345);
    io_prep_poll(&poll, ends[0], POLLIN);
    submit_one(context, &poll);
    EQ(write(ends[1], "x", 1), 1);
    CHECK(pthread_join(thread, NULL) == 0);
    EQ(result, 1);
    EQ(handled_inside, 0);
    EQ(handled, 1);
    EQ(io_destroy(context), 0);
    return 0;
}
