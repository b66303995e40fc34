/* A handler that runs while lio_listio(LIO_WAIT) waits: -1 and EINTR, and the requests go on [B11] (POSIX lio_listio,
   EINTR). After a handler with SA_RESTART it goes on waiting (POSIX sigaction). */
// unsanitized: tsan -- the runtime puts the handler off until the wait ends, which the kernel begins again
// oracle-deadline: 2
#include "list.h"
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

static void *interrupt(void *cb)
{
    WAIT_UNTIL(aio_error(cb) == EINPROGRESS && thread_sleeps(waiter));
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
    int flags[] = { 0, SA_RESTART };

    main_thread = pthread_self();
    waiter = this_thread();
    for (int i = 0; i < 2; i++) {
        int ends[2];
        char in = '?';

        make_pipe(ends);
        feed = i ? ends[1] : -1;
        struct aiocb cb = make_entry(LIO_READ, ends[0], &in, 1, 0), *list[] = { &cb };
        on_signal(SIGUSR1, handler, flags[i]);
        pthread_t thread = start_thread(interrupt, &cb);
        if (i == 0) {
            CHECK_FAILS(lio_listio(LIO_WAIT, list, 1, NULL), EINTR);
            CHECK_PENDING(&cb);
            CHECK_INT(write(ends[1], "x", 1), 1);
        } else {
            CHECK_INT(lio_listio(LIO_WAIT, list, 1, NULL), 0);
        }
        CHECK_INT(handled, i + 1);
        join_thread(thread);
        CHECK_DONE(&cb, 1);
        CHECK_INT(in, 'x');
    }
    return 0;
}
