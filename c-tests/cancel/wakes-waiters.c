/* The cancellation of a request wakes aio_suspend and lio_listio(LIO_WAIT), which then gives EIO [B9] [B10]
   [B11]. */
#include "aiocb.h"
#include "process.h"

static int ends[2];
static struct aiocb first, second;
static char in[3];
static _Atomic pid_t waiter;

static void *suspend(void *unused)
{
    const struct aiocb *list[] = { &second };

    (void)unused;
    waiter = this_thread();
    CHECK_INT(aio_suspend(list, 1, NULL), 0);
    CHECK_INT(aio_error(&second), ECANCELED);
    return NULL;
}

static void *list_and_wait(void *unused)
{
    struct aiocb *list[] = { &second };

    (void)unused;
    waiter = this_thread();
    CHECK_FAILS(lio_listio(LIO_WAIT, list, 1, NULL), EIO);
    CHECK_INT(aio_error(&second), ECANCELED);
    return NULL;
}

int main(void)
{
    make_pipe(ends);
    first = make_cb(ends[0], &in[0], 1, 0);
    second = make_cb(ends[0], &in[1], 1, 0);
    CHECK_INT(aio_read(&first), 0);
    CHECK_INT(aio_read(&second), 0);
    pthread_t thread = start_thread(suspend, NULL);
    WAIT_UNTIL(waiter && thread_sleeps(waiter));
    CHECK_INT(aio_cancel(ends[0], &second), AIO_CANCELED);
    join_thread(thread);

    waiter = 0;
    second.aio_lio_opcode = LIO_READ;
    thread = start_thread(list_and_wait, NULL);
    WAIT_UNTIL(waiter && thread_sleeps(waiter) && aio_error(&second) == EINPROGRESS);
    CHECK_INT(aio_cancel(ends[0], &second), AIO_CANCELED);
    join_thread(thread);
    CHECK_PENDING(&first);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_DONE(&first, 1);
    return 0;
}
