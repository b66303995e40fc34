/* aio_suspend is a cancellation point [B16] (POSIX 2.9.5.2): a thread that waits in it, with a timeout or without, can be
   cancelled, one that is cancelled before does not begin to wait, and the request goes on. */
#include "aiocb.h"
#include "process.h"

static int ends[2];
static struct aiocb cb;
static char in;
static _Atomic pid_t waiter;
static volatile int cleaned;
static pthread_barrier_t barrier;

static void clean(void *unused)
{
    (void)unused;
    cleaned++;
}

static void wait_in(int how)
{
    const struct aiocb *list[] = { &cb };

    aio_suspend(list, 1, how ? &(struct timespec){ 1000, 0 } : NULL);
}

static void *waits(void *how)
{
    pthread_cleanup_push(clean, NULL);
    CHECK_INT(aio_read(&cb), 0);
    waiter = this_thread();
    wait_in(*(int *)how);
    FAIL("was not cancelled, way %d", *(int *)how);
    pthread_cleanup_pop(0);
    return NULL;
}

static void *is_late(void *how)
{
    pthread_cleanup_push(clean, NULL);
    CHECK_INT(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL), 0);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    CHECK_INT(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL), 0);
    wait_in(*(int *)how);
    FAIL("was not cancelled at the start of way %d", *(int *)how);
    pthread_cleanup_pop(0);
    return NULL;
}

int main(void)
{
    int before = 0;

    make_pipe(ends);
    pthread_barrier_init(&barrier, NULL, 2);
    for (int i = 0; i < 6; i++) {
        int how = i % 2;

        waiter = 0;
        cb = make_cb(ends[0], &in, 1, 0);
        pthread_t thread = start_thread(waits, &how);
        WAIT_UNTIL(waiter && thread_sleeps(waiter) && aio_error(&cb) == EINPROGRESS);
        CHECK_INT(pthread_cancel(thread), 0);
        CHECK(join_thread(thread) == PTHREAD_CANCELED);
        CHECK_INT(cleaned, ++before);
        CHECK_PENDING(&cb);
        thread = start_thread(is_late, &how);
        pthread_barrier_wait(&barrier);
        CHECK_INT(pthread_cancel(thread), 0);
        pthread_barrier_wait(&barrier);
        CHECK(join_thread(thread) == PTHREAD_CANCELED);
        CHECK_INT(cleaned, ++before);
        CHECK_INT(write(ends[1], "x", 1), 1);
        CHECK_DONE(&cb, 1);
    }
    return 0;
}
