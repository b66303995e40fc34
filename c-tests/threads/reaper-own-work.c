// face: libaio
/* A thread takes the events of what another submits, until it submits and waits in a context of its own, over and over:
   what is submitted in the first context meanwhile completes all the same [A1] [D8]. Every other time the work is another
   thread's, begun when the first has ended. */
#include "reaper.h"

#define ROUNDS 120
#define SOON 4000 /* of the worker's own requests: the other's takes no longer than these */

static io_context_t own;
static int fd;
static atomic_int works, is_at_work, done;

/* Never far from its own requests. */
static void work(void)
{
    struct timespec moment = {0, 100000};
    struct iocb iocb;
    struct io_event event;
    char *buffer = aligned(BLOCK);

    read_blocks(own, fd, 100, 1);
    atomic_store(&is_at_work, 1);
    while (atomic_load(&works)) {
        io_prep_pread(&iocb, fd, buffer, BLOCK, 0);
        submit_one(own, &iocb);
        while (io_getevents(own, 1, 1, &event, &moment) != 1)
            ;
        atomic_fetch_add(&done, 1);
    }
    atomic_store(&is_at_work, 0);
    free(buffer);
}

static void reap_steadily(void)
{
    for (int i = 0; i < ROUNDS; i++)
        CHECK(reap_once());
}

static void *reap_and_work(void *unused)
{
    reap_steadily();
    work();
    return reap_for_all(unused);
}

static void *reap_and_end(void *unused)
{
    reap_steadily();
    return unused;
}

static void *work_alone(void *unused)
{
    work();
    return unused;
}

static void become_steady(struct page *page)
{
    atomic_store(&works, 1);
    for (int i = 0; i < ROUNDS; i++) {
        page_submitted(page, fd, i % BLOCKS);
        page_awaited(page, i % BLOCKS);
    }
}

static void submit_while_at_work(struct page *page)
{
    WAIT_UNTIL(atomic_load(&is_at_work));
    for (unsigned i = 0; i < 3; i++) {
        page_submitted(page, fd, i);
        for (int before = atomic_load(&done); ring_ready(context) != i + 1u; usleep(200))
            CHECK(atomic_load(&done) - before < SOON);
        check_pattern_at(page->buffer, BLOCK, 0, i * BLOCK);
    }
    CHECK(atomic_load(&is_at_work));
    atomic_store(&works, 0);
}

int main(void)
{
    alarm(DEADLINE_SECONDS);
    fd = direct_file();
    page_begins(&last);
    for (int i = 0; i < 8; i++) {
        pthread_t thread;
        struct page page;

        page_begins(&page);
        context = make_context(8);
        own = make_context(8);
        CHECK(pthread_create(&thread, NULL, i % 2 ? reap_and_end : reap_and_work, NULL) == 0);
        become_steady(&page);
        if (i % 2) {
            CHECK(pthread_join(thread, NULL) == 0);
            CHECK(pthread_create(&thread, NULL, work_alone, NULL) == 0);
        }
        submit_while_at_work(&page);
        if (i % 2 == 0) {
            page_submitted(&last, fd, 0);
            page_awaited(&last, 0);
        }
        CHECK(pthread_join(thread, NULL) == 0);
        CHECK_INT(io_destroy(own), 0);
        CHECK_INT(io_destroy(context), 0);
        free(page.buffer);
    }
    return 0;
}
