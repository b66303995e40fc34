/* A program with 1 MiB of thread-local storage, which lies on the stack of every thread: a request that needs a thread begins and
   ends [C4]. The C library takes no smaller stack for a thread, and does not say so by sysconf (glibc bug 11787). */
#include "aiocb.h"

static _Thread_local volatile char storage[1 << 20];
static sem_t called;

static void callback(union sigval value)
{
    storage[value.sival_int] = 1;
    sem_post(&called);
}

int main(void)
{
    int ends[2];
    char in[10];

    storage[0] = 1;
    sem_init(&called, 0, 0);
    make_pipe(ends);
    struct aiocb cb = make_cb(ends[0], in, sizeof in, 0);
    notify_by_thread(&cb, callback, NULL);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_PENDING(&cb);
    CHECK_INT(write(ends[1], "0123456789", 10), 10);
    CHECK_DONE(&cb, 10);
    AWAIT(&called);
    return 0;
}
