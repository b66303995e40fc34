/* A thread that sleeps in some system call while its own AIO completes, and a helper that ends the sleep by the
   call's own event once everything is in the ring. No signal is sent, so no EINTR may be seen [C1]. */
#ifndef EINTR_H
#define EINTR_H
#include "iocb.h"

#define EINTR_ROUNDS 50
#define EINTR_DEPTH 8

static io_context_t eintr_context;
static _Atomic int eintr_round, eintr_done, eintr_tid;
static int eintr_ends[2];
static void (*eintr_end_sleep)(void);

static void *eintr_helper(void *unused)
{
    for (int round = 1; round <= EINTR_ROUNDS; round++) {
        while (eintr_round < round)
            usleep(50);
        /* The poll completes while the thread sleeps; the reads when the disk has them. */
        WAIT_UNTIL(thread_sleeps(eintr_tid));
        CHECK_INT(write(eintr_ends[1], "x", 1), 1);
        WAIT_UNTIL(ring_ready(eintr_context) == EINTR_DEPTH);
        usleep(300);
        eintr_end_sleep();
        eintr_done = round;
    }
    return unused;
}

/* Runs the rounds: `sleep_once` must return 1 when it was ended by `end_sleep` alone. */
static inline void eintr_rounds(int (*sleep_once)(void), void (*end_sleep)(void))
{
    int fd = pattern_file(O_RDWR | O_DIRECT, 1 << 20, 0);
    char *buffer = aligned(EINTR_DEPTH * 16384), byte;
    struct iocb iocbs[EINTR_DEPTH], *list[EINTR_DEPTH];
    struct io_event events[EINTR_DEPTH];
    pthread_t thread;

    eintr_end_sleep = end_sleep;
    eintr_context = make_context(EINTR_DEPTH);
    eintr_tid = gettid();
    CHECK(pipe(eintr_ends) == 0);
    CHECK(pthread_create(&thread, NULL, eintr_helper, NULL) == 0);
    for (int round = 1; round <= EINTR_ROUNDS; round++) {
        for (int i = 0; i < EINTR_DEPTH; i++) {
            list[i] = &iocbs[i];
            io_prep_pread(&iocbs[i], fd, buffer + i * 16384, 16384, (round * 5 + i) % 60 * 16384);
        }
        io_prep_poll(&iocbs[0], eintr_ends[0], POLLIN);
        CHECK_INT(io_submit(eintr_context, EINTR_DEPTH, list), EINTR_DEPTH);
        eintr_round = round;
        if (sleep_once() != 1)
            FAIL("round %d: the sleep ended with errno %d", round, errno);
        WAIT_UNTIL(eintr_done == round); /* a sleep may be over by itself, before the helper is */
        reap(eintr_context, EINTR_DEPTH, events);
        CHECK_INT(read(eintr_ends[0], &byte, 1), 1);
    }
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_INT(io_destroy(eintr_context), 0);
}
#endif
