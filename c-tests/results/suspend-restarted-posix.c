// face: posix
// columns: oracle preload drop-in threads -- it takes long
// unsanitized: tsan -- the runtime puts the handler off until the wait ends, which the kernel begins again
/* A handler with SA_RESTART runs again and again while aio_suspend waits without a time limit; the wait goes on until
   the request is done. Another handler, without SA_RESTART, is installed and never runs.

   [F9] sigaction(2), SA_RESTART; in glibc aio_suspend waits in futex(2), which signal(7) lists among the calls that are
   restarted. Which handler ran decides, not which are installed. */
#include "aiocb.h"
#include "behaviour.h"

#define WAITS 1500
#define BLOCK 4096

static atomic_int runs;

static void handler(int signal)
{
    (void)signal;
    atomic_fetch_add(&runs, 1);
}

static void never(int signal)
{
    (void)signal;
    FAIL("the handler ran");
}

static int ends[2];
static atomic_int round_begun;

/* Ends each round's request when the handler has run in it. */
static void *writer(void *unused)
{
    (void)unused;
    for (int round = 1; round <= WAITS; round++) {
        int before;

        while (atomic_load(&round_begun) < round)
            pause_us(50);
        before = atomic_load(&runs);
        while (atomic_load(&runs) < before + 2)
            pause_us(50);
        CHECK_INT(write(ends[1], "x", 1), 1);
    }
    return NULL;
}

int main(void)
{
    struct itimerspec ticks = { { 0, 300000 }, { 0, 300000 } };
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
    int interrupted = 0, direct;
    unsigned char *buffer;
    struct aiocb file;
    pthread_t thread;
    timer_t timer;

    start_deadline();
    set_handler(SIGUSR1, handler, SA_RESTART);
    set_handler(SIGUSR2, never, 0);
    make_pipe(ends);
    direct = scratch_file("direct", O_RDWR | O_DIRECT, BLOCK, 1);
    buffer = new_pages(BLOCK);
    for (int i = 0; i < 200; i++) {
        file = make_cb(direct, buffer, BLOCK, 0);
        CHECK_INT(aio_read(&file), 0);
        CHECK_DONE(&file, BLOCK);
    }
    thread = start_thread(writer, NULL);
    event._sigev_un._tid = this_thread();
    MUST(timer_create(CLOCK_MONOTONIC, &event, &timer));
    MUST(timer_settime(timer, 0, &ticks, NULL));
    STEP("aio_suspend while a handler runs");
    for (int round = 1; round <= WAITS; round++) {
        char byte;
        struct aiocb cb = make_cb(ends[0], &byte, 1, 0);
        const struct aiocb *list[1] = { &cb };

        file = make_cb(direct, buffer, BLOCK, 0);
        CHECK_INT(aio_read(&file), 0);
        CHECK_INT(aio_read(&cb), 0);
        atomic_store(&round_begun, round);
        while (aio_suspend(list, 1, NULL) == -1) {
            CHECK_INT(errno, EINTR);
            interrupted++;
        }
        CHECK_DONE(&cb, 1);
        CHECK_DONE(&file, BLOCK);
    }
    timer_delete(timer);
    join_thread(thread);
    if (interrupted)
        FAIL("EINTR %d times in %d waits, although the handler that ran has SA_RESTART", interrupted, WAITS);
    return 0;
}
