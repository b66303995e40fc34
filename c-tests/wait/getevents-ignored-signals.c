// face: libaio
/* -EINTR only when a handler ran: ignored and blocked signals do not end io_getevents [A7]. */
#include "iocb.h"

static io_context_t context;
static _Atomic int tid, result;

static void *reaper(void *unused)
{
    struct io_event event;
    sigset_t blocked;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    CHECK(pthread_sigmask(SIG_BLOCK, &blocked, NULL) == 0);
    atomic_store(&tid, gettid());
    atomic_store(&result, io_getevents(context, 1, 1, &event, NULL));
    return unused;
}

int main(void)
{
    int ends[2];
    pthread_t thread;
    struct iocb poll;

    context = make_context(8);
    CHECK(pipe(ends) == 0);
    signal(SIGUSR1, SIG_IGN);
    result = 12345;
    CHECK(pthread_create(&thread, NULL, reaper, NULL) == 0);
    WAIT_UNTIL(tid && thread_sleeps(tid));
    for (int i = 0; i < 50; i++) {
        CHECK(pthread_kill(thread, SIGUSR1) == 0);
        CHECK(pthread_kill(thread, SIGWINCH) == 0); /* ignored by default */
        CHECK(pthread_kill(thread, SIGUSR2) == 0);
        usleep(1000);
    }
    CHECK_INT(result, 12345);
    io_prep_poll(&poll, ends[0], POLLIN);
    submit_one(context, &poll);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_INT(result, 1);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
