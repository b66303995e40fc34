/* libaio for the programs that include behaviour.h: contexts, submitting and reaping, and the ring in memory. */
#ifndef LIBAIO_CALLS_H
#define LIBAIO_CALLS_H

#include <libaio.h>
#include <sys/eventfd.h>

#include "behaviour.h"

/* The completion ring in memory as Linux's fs/aio.c lays it out (struct aio_ring). */
struct aio_ring {
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

static inline unsigned ring_ready(io_context_t context)
{
    struct aio_ring *ring = (struct aio_ring *)context;
    unsigned head = atomic_load(&ring->head), tail = atomic_load(&ring->tail);

    return (tail + ring->nr - head) % ring->nr;
}

/* Takes one event out of the ring as QEMU and fio do, without a call; 0 when it is empty. */
static inline int ring_take(io_context_t context, struct io_event *event)
{
    struct aio_ring *ring = (struct aio_ring *)context;
    unsigned head = atomic_load_explicit(&ring->head, memory_order_relaxed);

    if (head == atomic_load_explicit(&ring->tail, memory_order_acquire))
        return 0;
    *event = ring->events[head];
    atomic_store_explicit(&ring->head, (head + 1) % ring->nr, memory_order_release);
    return 1;
}

static inline io_context_t context_of(int nr_events)
{
    io_context_t context = NULL;

    CHECK_INT(io_setup(nr_events, &context), 0);
    return context;
}

static inline void submit_one(io_context_t context, struct iocb *iocb)
{
    int ret = io_submit(context, 1, &iocb);

    if (ret != 1)
        FAIL("io_submit of one iocb (opcode %d, descriptor %d): %d", iocb->aio_lio_opcode, iocb->aio_fildes, ret);
}

/* Reaps exactly `n` events without a time limit: the program's deadline ends a lost event. */
static inline void reap(io_context_t context, long n, struct io_event *events)
{
    for (long have = 0; have < n;) {
        int ret = io_getevents(context, 1, n - have, events + have, NULL);

        if (ret < 0 && ret != -EINTR)
            FAIL("io_getevents: %d", ret);
        if (ret > 0)
            have += ret;
    }
}

/* The result of one request, whether io_submit refuses it or its event tells it. */
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

#endif
