// face: posix
/* Threads that gave themselves descriptor tables of their own have ended; a later thread, which may have got the memory of one
   of them, reads an empty pipe. aio_read returns, and the data comes later [F7] (aio_read(3): the call returns when the
   request is queued). */
#include <sched.h>

#include "aiocb.h"

static int ends[2];
static struct aiocb cb;
static char byte;

static void *separates(void *argument)
{
    MUST(unshare(CLONE_FILES));
    return argument;
}

static void *reads(void *argument)
{
    cb = make_cb(ends[0], &byte, 1, 0);
    CHECK_INT(aio_read(&cb), 0);
    return argument;
}

int main(void)
{
    pthread_t thread;

    alarm(DEADLINE_SECONDS);
    make_pipe(ends);
    for (int i = 0; i < 3; i++) {
        CHECK(pthread_create(&thread, NULL, separates, NULL) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
    }
    CHECK(pthread_create(&thread, NULL, reads, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_PENDING(&cb);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_DONE(&cb, 1);
    return 0;
}
