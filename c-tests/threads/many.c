/* Sixteen threads read and write one file at once, and each waits for requests of another [B7]. */
#include "aiocb.h"
#include "process.h"

#define THREADS 16
#define N 40

static int fd;
static struct aiocb cb[THREADS][N];
static char bytes[THREADS][N][64];
static pthread_barrier_t barrier;

static void *work(void *argument)
{
    long self = (long)argument, other = (self + 1) % THREADS;

    for (int pass = 0; pass < 4; pass++) {
        for (int i = 0; i < N; i++) {
            off_t at = (self * N + i) * 64;

            if (pass % 2 == 0)
                fill_pattern(bytes[self][i], 64, self * 1000 + i + pass);
            else
                memset(bytes[self][i], 0, 64);
            cb[self][i] = make_cb(fd, bytes[self][i], 64, at);
            CHECK_INT(pass % 2 ? aio_read(&cb[self][i]) : aio_write(&cb[self][i]), 0);
        }
        pthread_barrier_wait(&barrier);
        for (int i = 0; i < N; i++)
            CHECK_DONE(&cb[other][i], 64);
        if (pass % 2)
            for (int i = 0; i < N; i++)
                CHECK(is_pattern(bytes[other][i], 64, other * 1000 + i + pass - 1));
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];

    fd = temp_file(O_RDWR);
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (long i = 0; i < THREADS; i++)
        threads[i] = start_thread(work, (void *)i);
    for (int i = 0; i < THREADS; i++)
        join_thread(threads[i]);
    return 0;
}
