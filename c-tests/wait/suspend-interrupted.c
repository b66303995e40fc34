/* aio_suspend fails with EINTR when a handler ran, with a timeout even if it has SA_RESTART, and not for a signal that is
   ignored [B10]. Without a timeout SA_RESTART makes it wait on, as in glibc and as POSIX sigaction asks. */
// unsanitized: tsan -- the runtime puts the handler off until the wait ends, which the kernel begins again
#include "aiocb.h"
#include "process.h"

static _Atomic int handled, feed = -1;
static _Atomic pid_t waiter;
static pthread_t main_thread;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    handled++;
}

static void *interrupt(void *unused)
{
    (void)unused;
    WAIT_UNTIL(thread_sleeps(waiter));
    pthread_kill(main_thread, SIGUSR2); /* ignored */
    int before = handled;
    pthread_kill(main_thread, SIGUSR1);
    if (feed >= 0) {
        WAIT_UNTIL(handled > before && thread_sleeps(waiter));
        CHECK_INT(write(feed, "x", 1), 1);
    }
    return NULL;
}

int main(void)
{
    int ends[2], flags[] = { 0, SA_RESTART };
    char in;

    main_thread = pthread_self();
    waiter = this_thread();
    signal(SIGUSR2, SIG_IGN);
    make_pipe(ends);
    struct aiocb cb = make_cb(ends[0], &in, 1, 0);
    const struct aiocb *list[] = { &cb };
    CHECK_INT(aio_read(&cb), 0);
    for (int i = 0; i < 20; i++) {
        on_signal(SIGUSR1, handler, flags[i % 2]);
        pthread_t thread = start_thread(interrupt, NULL);
        if (i % 2 == 0)
            CHECK_FAILS(aio_suspend(list, 1, NULL), EINTR);
        else
            CHECK_FAILS(aio_suspend(list, 1, &(struct timespec){ DEADLINE_SECONDS, 0 }), EINTR);
        CHECK_INT(handled, i + 1);
        CHECK_PENDING(&cb);
        join_thread(thread);
    }
    feed = ends[1];
    pthread_t thread = start_thread(interrupt, NULL);
    CHECK_INT(aio_suspend(list, 1, NULL), 0);
    CHECK_DONE(&cb, 1);
    CHECK_INT(handled, 21);
    join_thread(thread);
    return 0;
}
