/* SIGEV_THREAD: the function runs on another thread, with the value, after the status is there; for reads, writes, fsyncs
   and failed requests alike [B6]. */
#include "aiocb.h"
#include "process.h"

#include <stdatomic.h>

static sem_t called;
static pthread_t submitter;
static atomic_int calls[4];
static struct aiocb cb[4];

static void callback(union sigval value)
{
    int i = (struct aiocb *)value.sival_ptr - cb;

    CHECK(!pthread_equal(pthread_self(), submitter));
    CHECK_INT(aio_error(&cb[i]), i == 3 ? EINVAL : 0);
    CHECK_INT(aio_return(&cb[i]), i == 3 ? -1 : i == 2 ? 0 : 10);
    atomic_fetch_add(&calls[i], 1);
    sem_post(&called);
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1);
    char in[10], out[10 + 1] = "0123456789";

    sem_init(&called, 0, 0);
    submitter = pthread_self();
    for (int round = 1; round <= 50; round++) {
        cb[0] = make_cb(fd, in, 10, 0);
        cb[1] = make_cb(fd, out, 10, 50);
        cb[2] = make_cb(fd, NULL, 0, 0);
        cb[3] = make_cb(fd, in, 10, -1);
        for (int i = 0; i < 4; i++)
            notify_by_thread(&cb[i], callback, &cb[i]);
        CHECK_INT(aio_read(&cb[0]), 0);
        CHECK_INT(aio_write(&cb[1]), 0);
        CHECK_INT(aio_fsync(O_DSYNC, &cb[2]), 0);
        CHECK_INT(aio_read(&cb[3]), 0);
        for (int i = 0; i < 4; i++)
            AWAIT(&called);
        for (int i = 0; i < 4; i++)
            CHECK_INT(atomic_load(&calls[i]), round);
    }
    return 0;
}
