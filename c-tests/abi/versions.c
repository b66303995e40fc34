/* Programs linked on older systems ask for GLIBC_2.2.5 (2.4 for lio_listio): those names bind to the same functions [B1]. */
// columns: oracle preload threads without -- the versions of x86-64
#include "aiocb.h"

#define OLD(result, name, ...) extern result old_##name(__VA_ARGS__); __asm__(".symver old_" #name ", " #name "@GLIBC_2.2.5")
OLD(int, aio_read, struct aiocb *);
OLD(int, aio_write, struct aiocb *);
OLD(int, aio_fsync, int, struct aiocb *);
OLD(int, aio_error, const struct aiocb *);
OLD(ssize_t, aio_return, struct aiocb *);
OLD(int, aio_cancel, int, struct aiocb *);
OLD(int, aio_suspend, const struct aiocb *const *, int, const struct timespec *);
OLD(int, aio_read64, struct aiocb *);
OLD(int, aio_write64, struct aiocb *);
OLD(int, aio_error64, const struct aiocb *);
OLD(ssize_t, aio_return64, struct aiocb *);
OLD(void, aio_init, const struct aioinit *);
extern int lio_listio_24(int, struct aiocb *const *, int, struct sigevent *);
__asm__(".symver lio_listio_24, lio_listio@GLIBC_2.4");

static void finish(struct aiocb *cb, ssize_t bytes)
{
    const struct aiocb *list[] = { cb };

    while (old_aio_error(cb) == EINPROGRESS)
        CHECK_INT(old_aio_suspend(list, 1, &(struct timespec){ DEADLINE_SECONDS, 0 }), 0);
    CHECK_INT(old_aio_error64(cb), 0);
    CHECK_INT(old_aio_return(cb), bytes);
    CHECK_INT(old_aio_return64(cb), bytes);
    /* Both ends of one library: the current names know the same request. */
    CHECK_INT(aio_error(cb), 0);
    CHECK_INT(aio_return(cb), bytes);
}

int main(void)
{
    int fd = temp_file(O_RDWR), ends[2];
    char in[8] = { 0 };
    struct aioinit settings = { .aio_threads = 4, .aio_num = 64, .aio_idle_time = 1 };
    struct aiocb cb = make_cb(fd, "abcdefgh", 8, 0), *list[] = { &cb };

    old_aio_init(&settings);
    CHECK_INT(old_aio_write(&cb), 0);
    finish(&cb, 8);
    CHECK_INT(old_aio_fsync(O_SYNC, &cb), 0);
    finish(&cb, 0);
    cb = make_cb(fd, in, 8, 0);
    CHECK_INT(old_aio_read(&cb), 0);
    finish(&cb, 8);
    CHECK_INT(memcmp(in, "abcdefgh", 8), 0);
    CHECK_INT(old_aio_cancel(fd, &cb), AIO_ALLDONE);
    cb = make_cb(fd, "ABCD", 4, 2);
    CHECK_INT(old_aio_write64(&cb), 0);
    finish(&cb, 4);
    cb = make_cb(fd, in, 8, 0);
    cb.aio_lio_opcode = LIO_READ;
    CHECK_INT(lio_listio_24(LIO_WAIT, list, 1, NULL), 0);
    finish(&cb, 8);
    CHECK_INT(memcmp(in, "abABCDgh", 8), 0);

    make_pipe(ends);
    cb = make_cb(ends[0], in, 1, 0);
    CHECK_INT(old_aio_read64(&cb), 0);
    CHECK_PENDING(&cb);
    CHECK_INT(write(ends[1], "x", 1), 1);
    finish(&cb, 1);
    return 0;
}
