/* A thread may end right after its call: its requests on pipes, sockets and files go on, and their notifications come
   [B13]. */
#include "aiocb.h"
#include "process.h"

#define N 24 /* sixteen of them wait, which glibc has threads for */

static int fd, ends[N][2];
static char in[N];
static struct aiocb cb[N];

static void *submit(void *argument)
{
    long i = (long)argument;

    cb[i] = make_cb(i % 3 ? ends[i][0] : fd, &in[i], 1, i);
    notify_by_signal(&cb[i], SIGRTMIN, i);
    CHECK_INT(aio_read(&cb[i]), 0);
    return NULL;
}

int main(void)
{
    int seen[N] = { 0 };

    fd = pattern_file(O_RDWR, N, 1);
    block_signal(SIGRTMIN);
    for (long i = 0; i < N; i++) {
        if (i % 3 == 2)
            make_stream_pair(ends[i]);
        else
            make_pipe(ends[i]);
        join_thread(start_thread(submit, (void *)i));
    }
    for (int i = 0; i < N; i++) {
        if (i % 3) {
            CHECK_PENDING(&cb[i]);
            CHECK_INT(write(ends[i][1], "x", 1), 1);
        }
        CHECK_DONE(&cb[i], 1);
        CHECK_INT((unsigned char)in[i], i % 3 ? 'x' : pattern_byte(1, i));
    }
    for (int i = 0; i < N; i++)
        seen[take_signal(SIGRTMIN).si_value.sival_int]++;
    for (int i = 0; i < N; i++)
        CHECK_INT(seen[i], 1);
    return 0;
}
