/* A callback that blocks delays neither requests nor other callbacks [B6]: eight of them wait for a later one. */
#include "aiocb.h"
#include "process.h"

#define N 8

static sem_t waiting, go, called;

static void blocks(union sigval value)
{
    (void)value;
    sem_post(&waiting);
    AWAIT(&go);
    sem_post(&called);
}

static void frees(union sigval value)
{
    (void)value;
    for (int i = 0; i < N; i++)
        sem_post(&go);
    sem_post(&called);
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1);
    char in[N + 1];
    struct aiocb cb[N + 1];

    sem_init(&waiting, 0, 0);
    sem_init(&go, 0, 0);
    sem_init(&called, 0, 0);
    for (int i = 0; i < N; i++) {
        cb[i] = make_cb(fd, &in[i], 1, i);
        notify_by_thread(&cb[i], blocks, NULL);
        CHECK_INT(aio_read(&cb[i]), 0);
    }
    for (int i = 0; i < N; i++)
        AWAIT(&waiting);
    struct aiocb plain = make_cb(fd, in, 1, 0);
    CHECK_INT(aio_read(&plain), 0);
    CHECK_DONE(&plain, 1);
    cb[N] = make_cb(fd, &in[N], 1, N);
    notify_by_thread(&cb[N], frees, NULL);
    CHECK_INT(aio_read(&cb[N]), 0);
    for (int i = 0; i < N + 1; i++)
        AWAIT(&called);
    return 0;
}
