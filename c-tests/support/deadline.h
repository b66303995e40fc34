/* Waiting for an event with a deadline that only a hang reaches. No test sleeps to let something happen. */
#ifndef DEADLINE_H
#define DEADLINE_H

#include <semaphore.h>
#include <stdint.h>
#include <time.h>

#include "check.h"

/* Half of what the runner allows, so that a hang is reported with its line. The runner sets more where the machine is busy. */
#define DEADLINE_SECONDS (deadline_seconds())

static inline int deadline_seconds(void)
{
    static int known;
    int seconds = __atomic_load_n(&known, __ATOMIC_RELAXED);
    const char *text;

    if (!seconds) {
        text = getenv("TEST_DEADLINE");
        seconds = text && atoi(text) > 0 ? atoi(text) : 60;
        __atomic_store_n(&known, seconds, __ATOMIC_RELAXED);
    }
    return seconds;
}

static inline int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* The time at which to give up what begins now. */
static inline int64_t deadline_ns(void)
{
    return now_ns() + DEADLINE_SECONDS * 1000000000LL;
}

static inline void pause_us(long us)
{
    struct timespec t = { us / 1000000, us % 1000000 * 1000 };

    while (nanosleep(&t, &t) == -1 && errno == EINTR)
        ;
}

static inline void pause_ms(int ms)
{
    pause_us(ms * 1000L);
}

/* The program as a whole has a deadline: start_deadline() of behaviour.h. */
static int program_has_deadline;

/* How long a call may wait for an event: the whole time at once, since a wake-up that is lost must not look like a slow one, or
   without limit where the program's deadline ends it. */
static inline struct timespec *wait_limit(void)
{
    static __thread struct timespec limit;

    limit.tv_sec = DEADLINE_SECONDS;
    return program_has_deadline ? NULL : &limit;
}

/* What the program's deadline names as the step that did not end. Threads may change it at once. */
static const char *deadline_step __attribute__((unused)) = "the start";

#define STEP(text) __atomic_store_n(&deadline_step, (text), __ATOMIC_RELAXED)
#define CURRENT_STEP() __atomic_load_n(&deadline_step, __ATOMIC_RELAXED)

/* Looks until `condition` holds: for states that cannot be waited for, such as a thread's state in /proc. */
#define WAIT_UNTIL(condition)                                                                                          \
    do {                                                                                                               \
        const char *step_ = CURRENT_STEP();                                                                            \
        int64_t end_ = deadline_ns();                                                                                  \
        STEP("waiting until " #condition);                                                                             \
        while (!(condition)) {                                                                                         \
            if (now_ns() > end_)                                                                                       \
                FAIL("did not come true in %d s: %s", DEADLINE_SECONDS, #condition);                                   \
            pause_us(500);                                                                                             \
        }                                                                                                              \
        STEP(step_);                                                                                                   \
    } while (0)

/* Waits for one post of `semaphore`; false at the deadline. Signal handlers may run meanwhile. */
static inline int await_post(sem_t *semaphore)
{
    struct timespec end;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += DEADLINE_SECONDS;
    while (sem_timedwait(semaphore, &end) == -1) {
        if (errno != EINTR)
            return 0;
    }
    return 1;
}

#define AWAIT(semaphore)                                                                                               \
    do {                                                                                                               \
        if (!await_post(semaphore))                                                                                    \
            FAIL("no post of %s in %d s", #semaphore, DEADLINE_SECONDS);                                               \
    } while (0)

#endif
