/* Lists from many threads at once, waited for and notified, on one file: each list notifies its own end, once [B11]. */
#include "list.h"
#include "process.h"

#define THREADS 8
#define ROUNDS 30
#define N 12

static int fd;

static void called(union sigval value)
{
    sem_post(value.sival_ptr);
}

static void *work(void *argument)
{
    long self = (long)argument;
    sem_t over;

    sem_init(&over, 0, 0);
    for (int round = 0; round < ROUNDS; round++) {
        struct aiocb cb[N], *list[N];
        struct sigevent event = thread_event(called, &over);
        char out[N], in[N];

        for (int i = 0; i < N; i++) {
            out[i] = self * 31 + round + i;
            cb[i] = make_entry(LIO_WRITE, fd, &out[i], 1, self * N + i);
            list[i] = &cb[i];
        }
        CHECK_INT(lio_listio(LIO_NOWAIT, list, N, &event), 0);
        AWAIT(&over);
        for (int i = 0; i < N; i++)
            cb[i] = make_entry(LIO_READ, fd, &in[i], 1, self * N + i);
        CHECK_INT(lio_listio(LIO_WAIT, list, N, NULL), 0);
        CHECK_INT(memcmp(in, out, N), 0);
    }
    sem_destroy(&over);
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
