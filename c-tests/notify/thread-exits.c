/* A callback may end its thread with pthread_exit: its cleanup handlers and key destructors run, and later callbacks still
   come [B6]. */
#include "aiocb.h"
#include "process.h"

#include <stdatomic.h>

#define N 100

static sem_t called;
static pthread_key_t key;
static atomic_int cleaned, destroyed;

static void clean(void *unused)
{
    (void)unused;
    atomic_fetch_add(&cleaned, 1);
}

static void destroy(void *value)
{
    (void)value;
    atomic_fetch_add(&destroyed, 1);
    sem_post(&called);
}

static void callback(union sigval value)
{
    (void)value;
    CHECK_INT(pthread_setspecific(key, "x"), 0);
    pthread_cleanup_push(clean, NULL);
    pthread_exit(NULL);
    pthread_cleanup_pop(0);
}

int main(void)
{
    int fd = pattern_file(O_RDWR, N, 1);
    static char in[N];
    static struct aiocb cb[N];

    sem_init(&called, 0, 0);
    CHECK_INT(pthread_key_create(&key, destroy), 0);
    for (int i = 0; i < N; i++) {
        cb[i] = make_cb(fd, &in[i], 1, i);
        notify_by_thread(&cb[i], callback, NULL);
        CHECK_INT(aio_read(&cb[i]), 0);
        if (i % 2)
            AWAIT(&called);
    }
    for (int i = 0; i < N / 2; i++)
        AWAIT(&called);
    CHECK_INT(atomic_load(&cleaned), N);
    CHECK_INT(atomic_load(&destroyed), N);
    for (int i = 0; i < N; i++)
        CHECK_DONE(&cb[i], 1);
    return 0;
}
