// face: libaio
/* One thread reaps what another submits, until it is told to stop by a single signal: io_getevents(2) ends with EINTR, at any
   moment of its wait and above all at the beginning. (Between the look at the flag and the call a signal is lost with any
   implementation; that is a few instructions, so that most have to arrive.) */
#include "reaper.h"

#define ROUNDS 100
#define REQUESTS 100 /* in the first round; the others need fewer */

static volatile sig_atomic_t stop;
static atomic_int stopped;

static void note(int number)
{
    (void)number;
    stop = 1;
}

static void *reap_until_told(void *unused)
{
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
        int before = atomic_load(&stopped), waits = 0;

        for (int i = 0; i < (round ? REQUESTS / 10 : REQUESTS); i++) {
            page_submitted(&page, fd, i % BLOCKS);
            page_watched(&page, i % BLOCKS, 3 + round % 20);
        }
        CHECK(pthread_kill(thread, SIGUSR1) == 0);
        while (atomic_load(&stopped) == before) {
            usleep(1000);
            if (++waits % 100 == 0) {
                lost++;
                CHECK(pthread_kill(thread, SIGUSR1) == 0);
            }
        }
    }
    if (lost > ROUNDS / 10)
        FAIL("%d of %d signals were lost", lost, ROUNDS);
    page_submitted(&last, fd, 0);
    CHECK(pthread_join(thread, NULL) == 0);
    page_awaited(&last, 0);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
