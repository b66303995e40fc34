/* lio_listio(LIO_WAIT) is a cancellation point [B16]: a thread that waits in it can be cancelled, and the requests go
   on. */
// oracle-deadline: 2
#include "aiocb.h"
#include "process.h"

static int ends[2];
static struct aiocb cb;
static char in;
static _Atomic pid_t waiter;
static volatile int cleaned;

static void clean(void *unused)
{
    (void)unused;
    cleaned++;
}

static void *waits(void *unused)
{
    struct aiocb *list[] = { &cb };

    pthread_cleanup_push(clean, NULL);
    waiter = this_thread();
    lio_listio(LIO_WAIT, list, 1, NULL);
    FAIL("was not cancelled");
    pthread_cleanup_pop(0);
    return unused;
}

int main(void)
{
    int before = 0;

    make_pipe(ends);
    for (int i = 0; i < 5; i++) {
        waiter = 0;
        cb = make_cb(ends[0], &in, 1, 0);
        cb.aio_lio_opcode = LIO_READ;
        pthread_t thread = start_thread(waits, NULL);
        WAIT_UNTIL(waiter && thread_sleeps(waiter) && aio_error(&cb) == EINPROGRESS);
        CHECK_INT(pthread_cancel(thread), 0);
        CHECK(join_thread(thread) == PTHREAD_CANCELED);
        CHECK_INT(cleaned, ++before);
        CHECK_PENDING(&cb);
        CHECK_INT(write(ends[1], "x", 1), 1);
        CHECK_DONE(&cb, 1);
    }
    return 0;
}
