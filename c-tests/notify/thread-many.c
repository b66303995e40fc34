/* Many callbacks at once: every one comes, once [B6]. */
#include "aiocb.h"
#include "process.h"

#include <stdatomic.h>

#define N 3000

static sem_t called;
static atomic_int calls[N];

static void callback(union sigval value)
{
    atomic_fetch_add(&calls[value.sival_int], 1);
    sem_post(&called);
}

int main(void)
{
    int fd = pattern_file(O_RDWR, N, 1);
    static char in[N];
    static struct aiocb cb[N];

    sem_init(&called, 0, 0);
    for (int i = 0; i < N; i++) {
        cb[i] = make_cb(fd, &in[i], 1, i);
        notify_by_thread(&cb[i], callback, NULL);
        cb[i].aio_sigevent.sigev_value.sival_int = i;
        CHECK_INT(aio_read(&cb[i]), 0);
    }
    for (int i = 0; i < N; i++)
        AWAIT(&called);
    for (int i = 0; i < N; i++) {
        CHECK_INT(atomic_load(&calls[i]), 1);
        CHECK_DONE(&cb[i], 1);
        CHECK_INT((unsigned char)in[i], pattern_byte(1, i));
    }
    return 0;
}
