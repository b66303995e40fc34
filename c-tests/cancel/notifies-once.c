/* A cancelled request sends its notification, once, by signal and by thread, and the status is there before it [B9] (POSIX
   2.8.2: cancellation is asynchronous completion like any other). */
#include "aiocb.h"
#include "process.h"

#include <stdatomic.h>

#define N 40

static sem_t called;
static atomic_int calls[N];
static struct aiocb cb[N];

static void callback(union sigval value)
{
    int i = (struct aiocb *)value.sival_ptr - cb;

    CHECK_INT(aio_error(&cb[i]), i == 0 ? 0 : ECANCELED);
    atomic_fetch_add(&calls[i], 1);
    sem_post(&called);
}

int main(void)
{
    char in[N];
    int ends[2], seen[N] = { 0 };

    sem_init(&called, 0, 0);
    block_signal(SIGRTMIN + 1);
    for (int by_thread = 0; by_thread < 2; by_thread++) {
        make_pipe(ends);
        for (int i = 0; i < N; i++) {
            cb[i] = make_cb(ends[0], &in[i], 1, 0);
            if (by_thread)
                notify_by_thread(&cb[i], callback, &cb[i]);
            else
                notify_by_signal(&cb[i], SIGRTMIN + 1, i);
            CHECK_INT(aio_read(&cb[i]), 0);
        }
        /* From the second on: the first is in flight, and glibc would not cancel it. */
        for (int i = 1; i < N; i++)
            CHECK_INT(aio_cancel(ends[0], &cb[i]), AIO_CANCELED);
        CHECK_INT(write(ends[1], "x", 1), 1);
        CHECK_DONE(&cb[0], 1);
        for (int i = 0; i < N; i++) {
            if (by_thread)
                AWAIT(&called);
            else
                seen[take_signal(SIGRTMIN + 1).si_value.sival_int]++;
        }
        /* A request more, so that a second notification of an earlier one would have come before its own. */
        struct aiocb last = make_cb(ends[0], in, 1, 0);
        CHECK_INT(write(ends[1], "x", 1), 1);
        CHECK_INT(aio_read(&last), 0);
        CHECK_DONE(&last, 1);
        for (int i = 0; i < N; i++)
            CHECK_INT(by_thread ? atomic_load(&calls[i]) : seen[i], 1);
        CHECK_INT(signal_is_pending(SIGRTMIN + 1), 0);
    }
    return 0;
}
