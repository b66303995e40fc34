// face: posix
// columns: oracle preload drop-in threads -- it takes long
/* A handler without SA_RESTART that runs ends aio_suspend and lio_listio(LIO_WAIT) with EINTR, each of two thousand
   times, and they end with it only when it has run.

   [F9] aio_suspend(3), lio_listio(3): EINTR when the call was interrupted by a signal. */
#include "aiocb.h"
#include "behaviour.h"

#define WAITS 2000

static volatile sig_atomic_t runs;

static void handler(int signal)
{
    (void)signal;
    runs++;
}

int main(void)
{
    struct itimerspec ticks = { { 0, 300000 }, { 0, 300000 } };
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
    struct aiocb cb, *entries;
    const struct aiocb *list[1] = { &cb };
    timer_t timer;
    int ends[2];
    char byte;

    start_deadline();
    set_handler(SIGUSR1, handler, 0);
    make_pipe(ends);
    cb = make_cb(ends[0], &byte, 1, 0);
    CHECK_INT(aio_read(&cb), 0);
    event._sigev_un._tid = this_thread();
    MUST(timer_create(CLOCK_MONOTONIC, &event, &timer));
    MUST(timer_settime(timer, 0, &ticks, NULL));
    STEP("an interrupted aio_suspend");
    for (int i = 0; i < WAITS; i++) {
        int before = runs, ret = aio_suspend(list, 1, NULL);

        CHECK(ret == -1 && errno == EINTR);
        CHECK(runs > before);
    }
    /* These requests never end: glibc's point into the stack of the call that was interrupted. */
    STEP("an interrupted lio_listio");
    entries = new_pages(WAITS * sizeof *entries);
    for (int i = 0; i < WAITS; i++) {
        struct aiocb *one[1] = { &entries[i] };
        int before, ret;

        entries[i] = make_cb(ends[0], &byte, 1, 0);
        entries[i].aio_lio_opcode = LIO_READ;
        before = runs;
        ret = lio_listio(LIO_WAIT, one, 1, NULL);
        CHECK(ret == -1 && errno == EINTR);
        CHECK(runs > before);
    }
    timer_delete(timer);
    CHECK_PENDING(&cb);
    STEP("exit");
    exit(0);
}
