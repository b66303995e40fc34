/* aio_suspend: NULL entries are passed over, a list of NULLs and an empty list return 0, one request that is done is
   enough, and it wakes for the one that ends among those that do not [B10]. */
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
    int other[2];
    char in[2];
    const struct aiocb *nothing[] = { NULL, NULL, NULL };

    CHECK_INT(aio_suspend(nothing, 3, NULL), 0);
    CHECK_INT(aio_suspend(nothing, 0, NULL), 0);
    CHECK_INT(aio_suspend(nothing, 3, &(struct timespec){ 5, 0 }), 0);

    make_pipe(ends);
    make_pipe(other);
    struct aiocb cb = make_cb(ends[0], &in[0], 1, 0), never = make_cb(other[0], &in[1], 1, 0);
    struct aiocb done = make_cb(temp_file(O_RDWR), in, 1, 0);
    const struct aiocb *list[] = { NULL, &never, NULL, &cb, NULL };
    const struct aiocb *with_done[] = { &never, NULL, &done };

    CHECK_INT(aio_read(&never), 0);
    CHECK_INT(aio_read(&done), 0);
    CHECK_DONE(&done, 0);
    CHECK_INT(aio_suspend(with_done, 3, NULL), 0);
    CHECK_INT(aio_suspend(with_done, 3, &(struct timespec){ 0, 0 }), 0);

    waiter = this_thread();
    for (int i = 0; i < 50; i++) {
        cb = make_cb(ends[0], &in[0], 1, 0);
        CHECK_INT(aio_read(&cb), 0);
        pthread_t thread = start_thread(feed, NULL);
        CHECK_INT(aio_suspend(list, 5, NULL), 0);
        CHECK_INT(aio_error(&cb), 0);
        CHECK_PENDING(&never);
        join_thread(thread);
    }
    CHECK_INT(write(other[1], "x", 1), 1);
    CHECK_DONE(&never, 1);
    return 0;
}
