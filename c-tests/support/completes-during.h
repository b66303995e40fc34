/* Has a request of this thread complete while the thread waits for something else, and ends that wait afterwards: the way
   to see whether a completion interrupts a system call of the program [C1]. */
#ifndef COMPLETES_DURING_H
#define COMPLETES_DURING_H

#include "aiocb.h"
#include "process.h"

static struct {
    int ends[2];
    char in;
    struct aiocb cb;
    pid_t thread;
    void (*end_wait)(void);
    pthread_t helper;
} during;

static inline void *during_helper(void *unused)
{
    (void)unused;
    WAIT_UNTIL(thread_sleeps(during.thread));
    CHECK_INT(write(during.ends[1], "x", 1), 1);
    WAIT_UNTIL(aio_error(&during.cb) == 0);
    /* The completion, if it interrupts anything, has done it now or does it when the thread next wakes. */
    if (during.end_wait)
        during.end_wait();
    return NULL;
}

/* Starts a read that this thread submits. It completes once the thread sleeps; then `end_wait` is called by another thread. */
static inline void complete_during_wait(void (*end_wait)(void))
{
    if (!during.thread)
        make_pipe(during.ends);
    during.thread = this_thread();
    during.end_wait = end_wait;
    during.cb = make_cb(during.ends[0], &during.in, 1, 0);
    CHECK_INT(aio_read(&during.cb), 0);
    during.helper = start_thread(during_helper, NULL);
}

static inline void completed_during_wait(void)
{
    join_thread(during.helper);
    CHECK_DONE(&during.cb, 1);
}

#endif
