/* Sixty-four threads, each suspending on its own request again and again: each wakes for its own [B10]. */
#include "aiocb.h"
#include "process.h"

#define THREADS 64
#define ROUNDS 50

static int fd;

static void *work(void *argument)
{
    long self = (long)argument;

    for (int round = 0; round < ROUNDS; round++) {
        unsigned char out = self * 7 + round, in = ~out;
        struct aiocb cb = make_cb(fd, &out, 1, self);
        const struct aiocb *list[] = { &cb };

        CHECK_INT(aio_write(&cb), 0);
        CHECK_INT(aio_suspend(list, 1, NULL), 0);
        CHECK_INT(aio_error(&cb), 0);
        cb = make_cb(fd, &in, 1, self);
        CHECK_INT(aio_read(&cb), 0);
        CHECK_INT(aio_suspend(list, 1, NULL), 0);
        CHECK_INT(aio_error(&cb), 0);
        CHECK_INT(in, out);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];

    fd = temp_file(O_RDWR);
    for (long i = 0; i < THREADS; i++)
        threads[i] = start_thread(work, (void *)i);
    for (int i = 0; i < THREADS; i++)
        join_thread(threads[i]);
    return 0;
}
