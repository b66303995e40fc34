/* Cancelling while bytes arrive: whatever the moment, each request is either cancelled with its byte left to the next, or
   has taken its byte; the answer of aio_cancel agrees with the status, and no byte is lost or out of order [B9]. */
#include "aiocb.h"
#include "process.h"

#define ROUNDS 60
#define N 40

static int ends[2];

static void *feed(void *count)
{
    for (int i = 0; i < *(int *)count; i++) {
        char byte = i;

        CHECK_INT(write(ends[1], &byte, 1), 1);
    }
    return NULL;
}

int main(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        unsigned char in[N], rest[N];
        struct aiocb cb[N];
        int cancelled = 0, next = 0, count = N;

        make_pipe(ends);
        for (int i = 0; i < N; i++) {
            in[i] = 0xee;
            cb[i] = make_cb(ends[0], &in[i], 1, 0);
            CHECK_INT(aio_read(&cb[i]), 0);
        }
        pthread_t thread = start_thread(feed, &count);
        for (int i = N - 1; i >= 0; i--) {
            int answer = aio_cancel(ends[0], &cb[i]);

            if (answer == AIO_CANCELED)
                CHECK_INT(aio_error(&cb[i]), ECANCELED);
            else if (answer == AIO_ALLDONE)
                CHECK_INT(aio_error(&cb[i]), 0);
            else
                CHECK_INT(answer, AIO_NOTCANCELED);
            cancelled += answer == AIO_CANCELED;
        }
        join_thread(thread);
        for (int i = 0; i < N; i++) {
            AWAIT_CB(&cb[i]);
            if (aio_error(&cb[i]) == 0) {
                CHECK_INT(aio_return(&cb[i]), 1);
                CHECK_INT(in[i], next++);
            } else {
                CHECK_INT(aio_error(&cb[i]), ECANCELED);
                CHECK_INT(in[i], 0xee);
                cancelled--;
            }
        }
        CHECK_INT(cancelled, 0);
        read_whole(ends[0], rest, N - next);
        for (int i = 0; i < N - next; i++)
            CHECK_INT(rest[i], next + i);
        close(ends[0]);
        close(ends[1]);
    }
    return 0;
}
