/* One thread reaps what others submit, and is interrupted by signals all the while: handlers that return at once, that take
 * their time, and that leave io_getevents by siglongjmp. Every request completes once, and io_submit waits for no handler. */
#include <setjmp.h>

#include "handover.h"

#define SUBMITTERS 3
#define ROUNDS 1500

static sigjmp_buf back;
static volatile sig_atomic_t may_jump;
static atomic_int running = SUBMITTERS, holding;
static atomic_int held;
static int fd;

static void interrupted(int number)
{
    static int times;

    (void)number;
    if (++times % 4 == 0)
        usleep(300);
    if (atomic_load(&holding) && !atomic_load(&held)) {
        atomic_store(&held, 1);
        while (atomic_load(&holding))
            usleep(100);
    }
    if (may_jump && times % 3 == 0)
        siglongjmp(back, 1);
}

/* Events that are there when a handler leaves the call are taken all the same, so they are looked for. */
static void *reap_interrupted(void *unused)
{
    static struct io_event events[16];
    static int more;

    more = 1;
    while (more) {
        int count;

        memset(events, 0, sizeof(events));
        if (sigsetjmp(back, 1) == 0) {
            may_jump = 1;
            io_getevents(context, 1, 16, events, NULL);
        }
        may_jump = 0;
        for (count = 0; count < 16 && events[count].data; count++)
            ;
        more = give_out(events, count);
    }
    return unused;
}

static void *submit(void *seed)
{
    struct page page;

    page_begins(&page);
    for (int i = 0; i < ROUNDS; i++) {
        long long block = (i * 7 + (long)seed) % BLOCKS;

        page_submitted(&page, fd, block);
        page_awaited(&page, block);
    }
    atomic_fetch_sub(&running, 1);
    return NULL;
}

int main(void)
{
    struct sigaction action = {.sa_handler = interrupted};
    pthread_t reaper, submitters[SUBMITTERS];
    struct page page;

    alarm(PATIENCE);
    fd = direct_file();
    context = context_of(16);
    page_begins(&last);
    page_begins(&page);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(pthread_create(&reaper, NULL, reap_interrupted, NULL) == 0);
    for (long i = 0; i < SUBMITTERS; i++) {
        CHECK(pthread_create(&submitters[i], NULL, submit, (void *)i) == 0);
        /* The first works alone for a while. */
        if (i == 0)
            usleep(50000);
    }
    while (atomic_load(&running) > 0) {
        CHECK(pthread_kill(reaper, SIGUSR1) == 0);
        usleep(500);
    }
    for (int i = 0; i < SUBMITTERS; i++)
        CHECK(pthread_join(submitters[i], NULL) == 0);
    /* The reaper is in a handler, and io_submit returns all the same. */
    for (int i = 0; i < 20; i++) {
        atomic_store(&held, 0);
        atomic_store(&holding, 1);
        CHECK(pthread_kill(reaper, SIGUSR1) == 0);
        WAIT_FOR(atomic_load(&held));
        page_submitted(&page, fd, i);
        atomic_store(&holding, 0);
        page_awaited(&page, i);
    }
    page_submitted(&last, fd, 0);
    CHECK(pthread_join(reaper, NULL) == 0);
    EQ(io_destroy(context), 0);
    return 0;
}
