/* The pattern of a database: one thread reaps and wakes, others submit one read each and sleep until it is there. */
#ifndef REAPER_H
#define REAPER_H
#include <sched.h>
#include <semaphore.h>

#include "iocb.h"
#include "direct.h"

/* What a submitter sleeps on. */
struct page {
    struct iocb iocb;
    sem_t there;
    long result;
    char *buffer;
};

static io_context_t context;
static struct page last;

static inline void page_begins(struct page *page)
{
    page->buffer = aligned(BLOCK);
    CHECK(sem_init(&page->there, 0, 0) == 0);
}

static inline void page_submitted(struct page *page, int fd, long long block)
{
    io_prep_pread(&page->iocb, fd, page->buffer, BLOCK, block * BLOCK);
    page->iocb.data = page;
    submit_one(context, &page->iocb);
}

static inline void page_awaited(struct page *page, long long block)
{
    while (sem_wait(&page->there) != 0)
        CHECK(errno == EINTR);
    CHECK_INT(page->result, BLOCK);
    check_pattern_at(page->buffer, BLOCK, 0, block * BLOCK);
}

/* The same, without sleeping; and goes on a moment later, when the reaper has just begun to wait again. */
static inline void page_watched(struct page *page, long long block, int microseconds)
{
    while (sem_trywait(&page->there) != 0)
        sched_yield();
    CHECK_INT(page->result, BLOCK);
    check_pattern_at(page->buffer, BLOCK, 0, block * BLOCK);
    for (int64_t end = now_ns() + microseconds * 1000LL; now_ns() < end;)
        ;
}

/* Keep the calling thread on one processor, so that the reaper goes to another and is not disturbed. */
static inline void stay_on_one(void)
{
    cpu_set_t all, one;

    CHECK(sched_getaffinity(0, sizeof(all), &all) == 0);
    CPU_ZERO(&one);
    for (int i = 0; CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &all))
            CPU_SET(i, &one);
    CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
}

/* Give out events. 0 when that of `last` is among them. */
static inline int give_out(const struct io_event *events, int count)
{
    int more = 1;

    for (int i = 0; i < count; i++) {
        struct page *page = events[i].data;

        page->result = (long)events[i].res;
        more &= page != &last;
        CHECK(sem_post(&page->there) == 0);
    }
    return more;
}

/* Wait once, and give out what came. 0 when that of `last` is among it. */
static inline int reap_once(void)
{
    struct io_event events[16];
    int count = io_getevents(context, 1, 16, events, NULL);

    if (count == -EINTR)
        return 1;
    CHECK(count > 0);
    return give_out(events, count);
}

static inline void *reap_for_all(void *unused)
{
    while (reap_once())
        ;
    return unused;
}

#endif
