// face: libaio
/* A thread takes the events of what others submit, until things change: it ends with requests in flight, another takes its
   place, two wait at once, the ring is read in memory, the context is destroyed while it waits [A7] [A8]. */
#include "reaper.h"

#define ROUNDS 400

static int fd;
static atomic_int waits;

static void use(int rounds)
{
    struct page page;

    page_begins(&page);
    for (int i = 0; i < rounds; i++) {
        page_submitted(&page, fd, i % BLOCKS);
        page_awaited(&page, i % BLOCKS);
    }
}

static pthread_t reaper(void)
{
    pthread_t thread;

    CHECK(pthread_create(&thread, NULL, reap_for_all, NULL) == 0);
    return thread;
}

/* One of those who reap ends. */
static void end_one(void)
{
    page_submitted(&last, fd, 0);
    page_awaited(&last, 0);
}

static void end(pthread_t thread)
{
    end_one();
    CHECK(pthread_join(thread, NULL) == 0);
}

/* Waits for two events, of which one comes, and goes when the time is over. */
static void *wait_for_two(void *unused)
{
    struct timespec limit = {0, 300000000};
    struct io_event events[2];

    CHECK_INT(io_getevents(context, 2, 2, events, &limit), 1);
    give_out(events, 1);
    return unused;
}

static void *wait_to_be_destroyed(void *unused)
{
    struct io_event event;
    int count;

    atomic_store(&waits, gettid());
    count = io_getevents(context, 1, 1, &event, NULL);
    CHECK(count == -EINVAL || count == 0);
    return unused;
}

int main(void)
{
    struct page pages[4];
    struct io_event event;
    pthread_t first, second;

    alarm(DEADLINE_SECONDS);
    fd = direct_file();
    page_begins(&last);
    for (int i = 0; i < 4; i++)
        page_begins(&pages[i]);

    context = make_context(16);
    /* It ends, and another takes its place. */
    first = reaper();
    use(ROUNDS);
    end(first);
    first = reaper();
    use(ROUNDS);
    /* Two at once. */
    second = reaper();
    use(ROUNDS);
    end_one();
    end_one();
    CHECK(pthread_join(first, NULL) == 0);
    CHECK(pthread_join(second, NULL) == 0);
    CHECK_INT(io_destroy(context), 0);

    /* Not enough events, in time. */
    context = make_context(16);
    first = reaper();
    use(ROUNDS);
    end(first);
    CHECK(pthread_create(&first, NULL, wait_for_two, NULL) == 0);
    page_submitted(&pages[0], fd, 3);
    page_awaited(&pages[0], 3);
    CHECK(pthread_join(first, NULL) == 0);
    CHECK_INT(io_destroy(context), 0);

    /* In memory, after the reaper has gone. */
    context = make_context(16);
    first = reaper();
    use(ROUNDS);
    end(first);
    for (int i = 0; i < 4; i++)
        page_submitted(&pages[i], fd, i);
    for (int i = 0; i < 4; i++) {
        WAIT_UNTIL(ring_take(context, &event));
        give_out(&event, 1);
    }
    for (int i = 0; i < 4; i++)
        page_awaited(&pages[i], i);

    /* Destroyed while it is waited in, and at once behind a submission. */
    CHECK(pthread_create(&first, NULL, wait_to_be_destroyed, NULL) == 0);
    WAIT_UNTIL(atomic_load(&waits) && thread_sleeps(atomic_load(&waits)));
    CHECK_INT(io_destroy(context), 0);
    CHECK(pthread_join(first, NULL) == 0);
    for (int i = 0; i < 50; i++) {
        context = make_context(16);
        first = reaper();
        use(20);
        end(first);
        page_submitted(&pages[0], fd, 5);
        CHECK_INT(io_destroy(context), 0);
        check_pattern_at(pages[0].buffer, BLOCK, 0, 5 * BLOCK);
        memset(pages[0].buffer, 0, BLOCK);
    }
    return 0;
}
