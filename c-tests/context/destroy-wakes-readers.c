// face: libaio
/* Threads blocked in io_getevents when the context is destroyed wake with -EINVAL [A8] (MariaDB's shutdown). */
#include "iocb.h"

#define THREADS 4

static io_context_t context;
static _Atomic int tids[THREADS], results[THREADS];

static void *reaper(void *argument)
{
    int me = (int)(intptr_t)argument;
    struct timespec hour = {3600, 0};
    struct io_event event;

    tids[me] = gettid();
    results[me] = io_getevents(context, 1, 1, &event, me % 2 ? &hour : NULL);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];

    for (int round = 0; round < 10; round++) {
        context = make_context(8);
        for (int i = 0; i < THREADS; i++) {
            tids[i] = 0;
            results[i] = 12345;
            CHECK(pthread_create(&threads[i], NULL, reaper, (void *)(intptr_t)i) == 0);
        }
        for (int i = 0; i < THREADS; i++)
            WAIT_UNTIL(tids[i] && thread_sleeps(tids[i]));
        CHECK_INT(io_destroy(context), 0);
        for (int i = 0; i < THREADS; i++) {
            CHECK(pthread_join(threads[i], NULL) == 0);
            CHECK_INT(results[i], -EINVAL);
        }
    }
    return 0;
}
