/* Making libaio contexts and iocbs, the ring in memory, and taking events with a deadline. */
#ifndef IOCB_H
#define IOCB_H

#include <libaio.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/uio.h>

#include "check.h"
#include "deadline.h"
#include "files.h"
#include "memory.h"
#include "process.h"

#define IOPRIO 2u /* IOCB_FLAG_IOPRIO */

/* The completion ring in memory as Linux's fs/aio.c lays it out (struct aio_ring). */
struct ring {
    unsigned id;
    unsigned nr;
    _Atomic unsigned head;
    _Atomic unsigned tail;
    unsigned magic;
    unsigned compat_features;
    unsigned incompat_features;
    unsigned header_length;
    struct io_event events[];
};

static inline struct ring *ring_of(io_context_t context)
{
    return (struct ring *)context;
}

static inline unsigned ring_ready(io_context_t context)
{
    struct ring *ring = ring_of(context);
    unsigned head = atomic_load(&ring->head), tail = atomic_load(&ring->tail);

    return (tail + ring->nr - head) % ring->nr;
}

/* Take one event out of the ring as QEMU and fio do, without a call; 0 when it is empty. */
static inline int ring_take(io_context_t context, struct io_event *event)
{
    struct ring *ring = ring_of(context);
    unsigned head = atomic_load_explicit(&ring->head, memory_order_relaxed);

    if (head == atomic_load_explicit(&ring->tail, memory_order_acquire))
        return 0;
    *event = ring->events[head];
    atomic_store_explicit(&ring->head, (head + 1) % ring->nr, memory_order_release);
    return 1;
}

static inline io_context_t make_context(int nr_events)
{
    io_context_t context = NULL;
    int ret = io_setup(nr_events, &context);

    if (ret != 0)
        FAIL("io_setup(%d): %d", nr_events, ret);
    return context;
}

static inline void submit_one(io_context_t context, struct iocb *iocb)
{
    int ret = io_submit(context, 1, &iocb);

    if (ret != 1)
        FAIL("io_submit of one iocb (opcode %d, fd %d): %d", iocb->aio_lio_opcode, iocb->aio_fildes, ret);
}

/* Reap exactly n events, or fail when they do not come. */
static inline void reap(io_context_t context, long n, struct io_event *events)
{
    int64_t end = deadline_ns();
    long have = 0;

    while (have < n) {
        int ret = io_getevents(context, 1, n - have, events + have, wait_limit());

        if (ret < 0 && ret != -EINTR)
            FAIL("io_getevents: %d", ret);
        if (ret > 0)
            have += ret;
        if (have < n && now_ns() > end)
            FAIL("%ld of %ld events came", have, n);
    }
}

/* The result of one request, whether io_submit refuses it or its event tells. */
static inline long long outcome(io_context_t context, struct iocb *iocb)
{
    struct io_event event;
    int ret = io_submit(context, 1, &iocb);

    if (ret != 1) {
        CHECK(ret < 0);
        return ret;
    }
    reap(context, 1, &event);
    CHECK(event.obj == iocb);
    return (long)event.res;
}

/* No event is there now. */
static inline void none_left(io_context_t context)
{
    struct timespec now = {0, 0};
    struct io_event event;

    CHECK_INT(io_getevents(context, 0, 1, &event, &now), 0);
}

/* Is the mapping at this address a ring of the kernel's own AIO? */
static inline int kernels_ring(const void *address)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    unsigned long from, to;
    char line[PATH_MAX];
    int found = 0;

    CHECK(maps != NULL);
    while (fgets(line, sizeof(line), maps))
        if (sscanf(line, "%lx-%lx", &from, &to) == 2 && from <= (uintptr_t)address && (uintptr_t)address < to)
            found = strstr(line, "[aio]") != NULL;
    fclose(maps);
    return found;
}

/* What this program runs on. Where io_uring is not available, or an engine is named, uringaio may do either. */
enum { SYSTEM, URINGAIO, UNDECIDED };

static inline int runs_on(void)
{
    const char *preload = getenv("LD_PRELOAD"), *path = getenv("LD_LIBRARY_PATH");

    if (!(preload && strstr(preload, "liburingaio")) && !(path && strstr(path, "/target/")))
        return SYSTEM;
    if (getenv("URINGAIO_ENGINE") || (syscall(SYS_io_uring_setup, 0L, NULL) < 0 && (errno == EPERM || errno == ENOSYS)))
        return UNDECIDED;
    return URINGAIO;
}

#endif
