// face: posix
/* Two hundred threads have rights of their own at once. One that has not reads an empty pipe: aio_read returns, and the data comes
   later [F7] (aio_read(3): the call returns when the request is queued; setfsuid(2): about the calling thread alone). */
#include <sys/fsuid.h>

#include "aiocb.h"

#define THREADS 200

static pthread_barrier_t separated, over;

static void *separates(void *argument)
{
    setfsuid(65534);
    pthread_barrier_wait(&separated);
    pthread_barrier_wait(&over);
    return argument;
}

int main(void)
{
    pthread_t threads[THREADS];
    struct aiocb cb;
    char byte = 0;
    int ends[2];

    if (geteuid() != 0)
        SKIP("only root has rights to give up");
    alarm(DEADLINE_SECONDS);
    make_pipe(ends);
    CHECK(pthread_barrier_init(&separated, NULL, THREADS + 1) == 0);
    CHECK(pthread_barrier_init(&over, NULL, THREADS + 1) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, separates, NULL) == 0);
    pthread_barrier_wait(&separated);
    cb = make_cb(ends[0], &byte, 1, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_PENDING(&cb);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_DONE(&cb, 1);
    pthread_barrier_wait(&over);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    return 0;
}
