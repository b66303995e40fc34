// face: libaio
/* A thread takes the events of what another submits, over and over, until it stays away: in its own code, asleep, and in
   another context. What is submitted meanwhile completes without it [A1] [D8] (fs/aio.c has started the request when
   io_submit returns). */
#include "reaper.h"

#define ROUNDS 300

enum away { HERE, RUNS, SLEEPS, ELSEWHERE };

static io_context_t other;
static struct page going; /* the reaper goes away when it has given this out */
static _Atomic enum away away;
static atomic_int is_away;

static void stay_away(enum away how)
{
    struct timespec limit = {DEADLINE_SECONDS, 0};
    struct io_event event;

    atomic_store(&is_away, 1);
    if (how == ELSEWHERE)
        CHECK_INT(io_getevents(other, 1, 1, &event, &limit), 1);
    while (atomic_load(&away) == how)
        if (how == SLEEPS)
            usleep(1000);
    atomic_store(&is_away, 0);
}

static void *reap_and_stay_away(void *unused)
{
    struct io_event event;

    do {
        CHECK_INT(io_getevents(context, 1, 1, &event, NULL), 1);
        give_out(&event, 1);
        if (event.data == &going)
            stay_away(atomic_load(&away));
    } while (event.data != &last);
    return unused;
}

int main(void)
{
    int fd = direct_file();
    struct page page, stray;
    pthread_t thread;

    alarm(DEADLINE_SECONDS);
    context = make_context(8);
    other = make_context(8);
    page_begins(&page);
    page_begins(&stray);
    page_begins(&going);
    page_begins(&last);
    CHECK(pthread_create(&thread, NULL, reap_and_stay_away, NULL) == 0);
    for (enum away how = RUNS; how <= ELSEWHERE; how++) {
        for (int i = 0; i < ROUNDS; i++) {
            page_submitted(&page, fd, i % BLOCKS);
            page_awaited(&page, i % BLOCKS);
        }
        atomic_store(&away, how);
        page_submitted(&going, fd, 0);
        page_awaited(&going, 0);
        /* At once, and when it is away for certain. */
        for (unsigned i = 0; i < 2; i++) {
            page_submitted(&page, fd, i);
            WAIT_UNTIL(ring_ready(context) == i + 1u);
            check_pattern_at(page.buffer, BLOCK, 0, i * BLOCK);
            WAIT_UNTIL(atomic_load(&is_away));
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
    CHECK_INT(io_destroy(other), 0);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
