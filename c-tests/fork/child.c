/* A forked child does asynchronous I/O of its own, though its parent has used it before and has requests in flight; so does
   the grandchild [C3]. */
// unsanitized: tsan -- the runtime ends a child in which a new thread has the address of one of its parent's
// oracle-deadline: 2
#include "aiocb.h"
#include "process.h"

static sem_t called;

static void callback(union sigval value)
{
    (void)value;
    sem_post(&called);
}

static void use_aio(int fd)
{
    int ends[2];
    char in[10];
    struct aiocb cb = make_cb(fd, in, sizeof in, 0), pipe_cb, *list[] = { &cb };

    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, sizeof in);
    make_pipe(ends);
    pipe_cb = make_cb(ends[0], in, 1, 0);
    notify_by_thread(&pipe_cb, callback, NULL);
    CHECK_INT(aio_read(&pipe_cb), 0);
    cb.aio_lio_opcode = LIO_READ;
    CHECK_INT(lio_listio(LIO_WAIT, list, 1, NULL), 0);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_DONE(&pipe_cb, 1);
    AWAIT(&called);
    CHECK_INT(aio_fsync(O_SYNC, &cb), 0);
    CHECK_DONE(&cb, 0);
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1), ends[2];
    char in = '?';

    sem_init(&called, 0, 0);
    use_aio(fd);
    make_pipe(ends);
    struct aiocb cb = make_cb(ends[0], &in, 1, 0);
    CHECK_INT(aio_read(&cb), 0);
    for (int i = 0; i < 10; i++) {
        pid_t child = MUST(fork());
        if (child == 0) {
            use_aio(fd);
            pid_t grandchild = MUST(fork());
            if (grandchild == 0) {
                use_aio(fd);
                _exit(0);
            }
            CHECK_CHILD(grandchild, 0);
            exit(0);
        }
        CHECK_CHILD(child, 0);
        CHECK_PENDING(&cb);
    }
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_DONE(&cb, 1);
    CHECK_INT(in, 'x');
    use_aio(fd);
    return 0;
}
