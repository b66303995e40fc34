// face: libaio
/* A thread that takes events of requests that another submits is stopped by one signal: io_getevents ends with EINTR at any
   moment of its wait, above all at its beginning [A7]. Between the look at the flag and the call a signal is lost with any
   implementation. That is a few instructions, so most must arrive. */
#include "reaper.h"

#define ROUNDS 100
#define REQUESTS 100 /* in the first round; the others need fewer */

static volatile sig_atomic_t stop;
static atomic_int handled, stopped;
static _Atomic pid_t reaper;

static void note(int number)
{
    (void)number;
    stop = 1;
    atomic_fetch_add(&handled, 1);
}

static void *reap_until_told(void *unused)
{
    reaper = this_thread();
    for (;;) {
        while (!stop)
            if (!reap_once())
                return unused;
        stop = 0;
        atomic_fetch_add(&stopped, 1);
    }
}

int main(void)
{
    struct sigaction action = {.sa_handler = note};
    int fd = direct_file(), lost = 0;
    struct page page;
    pthread_t thread;

    alarm(DEADLINE_SECONDS);
    context = make_context(8);
    page_begins(&page);
    page_begins(&last);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(pthread_create(&thread, NULL, reap_until_told, NULL) == 0);
    stay_on_one();
    for (int round = 0; round < ROUNDS; round++) {
        int before = atomic_load(&stopped), signals = atomic_load(&handled);

        for (int i = 0; i < (round ? REQUESTS / 10 : REQUESTS); i++) {
            page_submitted(&page, fd, i % BLOCKS);
            page_watched(&page, i % BLOCKS, 3 + round % 20);
        }
        CHECK(pthread_kill(thread, SIGUSR1) == 0);
        /* Lost: the handler has run, and the thread is in the call nevertheless. */
        while (atomic_load(&stopped) == before) {
            if (atomic_load(&handled) > signals && thread_sleeps(reaper) && atomic_load(&stopped) == before) {
                lost++;
                signals = atomic_load(&handled);
                CHECK(pthread_kill(thread, SIGUSR1) == 0);
            }
        }
    }
    if (lost > ROUNDS / 2)
        FAIL("%d of %d signals were lost", lost, ROUNDS);
    page_submitted(&last, fd, 0);
    CHECK(pthread_join(thread, NULL) == 0);
    page_awaited(&last, 0);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
