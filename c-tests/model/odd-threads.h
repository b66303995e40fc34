/* Who makes the random comparisons: one thread, then four at once, which share a file. */
#ifndef ODD_THREADS_H
#define ODD_THREADS_H

#include "odd-memory.h"
#include "odd-objects.h"

#define THREADS 4

static uint64_t seed = 1;
static atomic_int wrong; /* differences that were found */
static int shared_file[SIDES];
static rlim_t most_bytes = MOST_BYTES; /* RLIMIT_FSIZE */

/* Has `run`, which is given the thread's number, make *count comparisons in thread 0, and as many in threads 1 to THREADS
   together. Fails if there was a difference. */
static inline void compare_by_threads(void *(*run)(void *), long *count)
{
    pthread_t threads[THREADS];

    signal(SIGPIPE, SIG_IGN);
    make_odd_memory();
    for (int side = 0; side < SIDES; side++)
        shared_file[side] = pattern_file(O_RDWR, (THREADS + 2) * REGION, 5);
    set_limit(RLIMIT_FSIZE, most_bytes);
    STEP("the comparisons of one thread");
    run(NULL);
    STEP("the comparisons of four threads");
    *count /= THREADS;
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, run, (void *)(i + 1)), 0);
    for (int i = 0; i < THREADS; i++)
        CHECK_INT(pthread_join(threads[i], NULL), 0);
    if (wrong)
        FAIL("%d differences with seed %llu", wrong, (unsigned long long)seed);
}

#endif
