/* Many threads suspend on lists that overlap: each wakes when one of its own is done, and none is forgotten [B10]. */
#include "aiocb.h"
#include "process.h"

#include <stdatomic.h>

#define THREADS 16
#define N 16

static struct aiocb cb[N];
static int ends[N][2];
static atomic_int awake;

static void *wait_for_own(void *argument)
{
    long self = (long)argument;
    const struct aiocb *list[N];
    int left = 0;

    /* Thread t waits for t, t + 1, ... t + 7, until all are done. */
    for (int i = 0; i < N / 2; i++)
        list[left++] = &cb[(self + i) % N];
    while (left > 0) {
        int still = 0;

        CHECK_INT(aio_suspend(list, left, NULL), 0);
        for (int i = 0; i < left; i++)
            if (aio_error(list[i]) == EINPROGRESS)
                list[still++] = list[i];
        CHECK(still < left);
        left = still;
    }
    atomic_fetch_add(&awake, 1);
    return NULL;
}

int main(void)
{
    char in[N];
    pthread_t threads[THREADS];

    for (int i = 0; i < N; i++)
        make_pipe(ends[i]);
    for (int round = 0; round < 10; round++) {
        atomic_store(&awake, 0);
        for (int i = 0; i < N; i++) {
            cb[i] = make_cb(ends[i][0], &in[i], 1, 0);
            CHECK_INT(aio_read(&cb[i]), 0);
        }
        for (long i = 0; i < THREADS; i++)
            threads[i] = start_thread(wait_for_own, (void *)i);
        for (int i = 0; i < N; i++)
            CHECK_INT(write(ends[i * 7 % N][1], "x", 1), 1);
        for (int i = 0; i < THREADS; i++)
            join_thread(threads[i]);
        CHECK_INT(atomic_load(&awake), THREADS);
    }
    return 0;
}
