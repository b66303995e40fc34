/* aio_suspend's timeout: none ends early by the monotonic clock, and one in the far future waits for the request
   [B10]. */
#include "aiocb.h"
#include "process.h"

static int ends[2];
static _Atomic pid_t waiter;

static void *feed(void *unused)
{
    (void)unused;
    WAIT_UNTIL(thread_sleeps(waiter));
    CHECK_INT(write(ends[1], "x", 1), 1);
    return NULL;
}

int main(void)
{
    char in;
    struct timespec far[] = { { 1000000000, 0 }, { INT32_MAX, 999999999 }, { INT64_MAX / 4, 999999999 } };

    make_pipe(ends);
    waiter = this_thread();
    struct aiocb cb = make_cb(ends[0], &in, 1, 0);
    const struct aiocb *list[] = { &cb };

    CHECK_INT(aio_read(&cb), 0);
    int64_t start = now_ns();
    CHECK_FAILS(aio_suspend(list, 1, &(struct timespec){ 0, 30000000 }), EAGAIN);
    CHECK(now_ns() - start >= 30000000);
    start = now_ns();
    CHECK_FAILS(aio_suspend(list, 1, &(struct timespec){ 1, 5 }), EAGAIN);
    CHECK(now_ns() - start >= 1000000005);

    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        CHECK_PENDING(&cb);
        pthread_t thread = start_thread(feed, NULL);
        CHECK_INT(aio_suspend(list, 1, &far[i]), 0);
        CHECK_INT(aio_return(&cb), 1);
        join_thread(thread);
        cb = make_cb(ends[0], &in, 1, 0);
        CHECK_INT(aio_read(&cb), 0);
    }
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_DONE(&cb, 1);
    return 0;
}
