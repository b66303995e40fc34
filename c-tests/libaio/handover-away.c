/* One thread reaps what another submits, and always comes back at once, until it does not: what is submitted meanwhile completes
 * without it (fs/aio.c has the request under way when io_submit returns). It stays away in its own code, asleep, and in another
 * context. */
#include "handover.h"

#define ROUNDS 300

enum away { HERE, RUNS, SLEEPS, ELSEWHERE };

static io_context_t other;
static _Atomic enum away away;
static atomic_int is_away;

static void *reap_and_stay_away(void *unused)
{
    while (reap_once()) {
        enum away how = atomic_load(&away);
        struct timespec limit = {5, 0};
        struct io_event event;

        if (how == HERE)
            continue;
        atomic_store(&is_away, 1);
        if (how == ELSEWHERE)
            CHECK(io_getevents(other, 1, 1, &event, &limit) == 1);
        while (atomic_load(&away) == how)
            if (how == SLEEPS)
                usleep(1000);
        atomic_store(&is_away, 0);
    }
    return unused;
}

int main(void)
{
    int fd = direct_file();
    struct page page, stray;
    pthread_t thread;

    alarm(PATIENCE);
    context = context_of(8);
    other = context_of(8);
    page_begins(&page);
    page_begins(&stray);
    page_begins(&last);
    CHECK(pthread_create(&thread, NULL, reap_and_stay_away, NULL) == 0);
    for (enum away how = RUNS; how <= ELSEWHERE; how++) {
        for (int i = 0; i < ROUNDS; i++) {
            if (i == ROUNDS - 1)
                atomic_store(&away, how);
            page_submitted(&page, fd, i % BLOCKS);
            page_awaited(&page, i % BLOCKS);
        }
        /* At once, and when it is away for certain. */
        for (unsigned i = 0; i < 2; i++) {
            page_submitted(&page, fd, i);
            WAIT_FOR(ring_ready(context) == i + 1u);
            check_bytes(page.buffer, BLOCK, i * BLOCK);
            WAIT_FOR(atomic_load(&is_away));
        }
        if (how == ELSEWHERE) {
            io_prep_pread(&stray.iocb, fd, stray.buffer, BLOCK, 0);
            submit_one(other, &stray.iocb);
        }
        atomic_store(&away, HERE);
        for (int i = 0; i < 2; i++)
            while (sem_wait(&page.there) != 0)
                CHECK(errno == EINTR);
    }
    page_submitted(&last, fd, 0);
    CHECK(pthread_join(thread, NULL) == 0);
    page_awaited(&last, 0);
    EQ(io_destroy(other), 0);
    EQ(io_destroy(context), 0);
    return 0;
}
