/* Asynchronous I/O of every kind opens no descriptor that the program could count, and takes no number [C2]. */
#include "aiocb.h"
#include "process.h"

static void nothing(union sigval value)
{
    sem_post(value.sival_ptr);
}

int main(void)
{
    int fd = temp_file(O_RDWR), ends[2];
    char in[10];
    sem_t called;

    sem_init(&called, 0, 0);
    make_pipe(ends);
    int before = count_descriptors();
    int next = MUST(dup(fd));
    close(next);
    for (int i = 0; i < 20; i++) {
        struct aiocb cb = make_cb(fd, "0123456789", 10, 0), pipe_cb = make_cb(ends[0], in, 10, 0), sync_cb = make_cb(fd, NULL, 0, 0);

        CHECK_INT(aio_read(&pipe_cb), 0);
        notify_by_thread(&cb, nothing, &called);
        CHECK_INT(aio_write(&cb), 0);
        CHECK_INT(aio_fsync(O_SYNC, &sync_cb), 0);
        AWAIT(&called);
        CHECK_DONE(&cb, 10);
        CHECK_DONE(&sync_cb, 0);
        CHECK_INT(count_descriptors(), before);
        CHECK_INT(write(ends[1], "x", 1), 1);
        CHECK_DONE(&pipe_cb, 1);
    }
    CHECK_INT(count_descriptors(), before);
    int after = MUST(dup(fd));
    CHECK_INT(after, next);
    return 0;
}
