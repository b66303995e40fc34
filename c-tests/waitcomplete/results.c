/* aio_waitcomplete tells of each request once, whatever its kind and its end, with the result that aio_return gives, and not
   of those whose result was asked for [B18] (FreeBSD aio_waitcomplete(2)). */
// links: uringaio
#include "list.h"
#include "memory.h"

#include <sys/uio.h>

/* The next one is `cb`, and its result is `result`, or -errno. */
static void comes(struct aiocb *cb, long long result)
{
    struct aiocb *got;
    ssize_t answer;

    errno = 0;
    answer = aio_waitcomplete(&got, &(struct timespec){ DEADLINE_SECONDS, 0 });
    CHECK(got == cb);
    if (result >= 0)
        CHECK_INT(answer, result);
    else
        CHECK_INT(answer == -1 ? -errno : answer, result);
    CHECK_INT(aio_error(cb), result < 0 ? -result : 0);
}

static void none_comes(void)
{
    struct aiocb *got = (struct aiocb *)1;

    CHECK_FAILS(aio_waitcomplete(&got, &(struct timespec){ 0, 0 }), EAGAIN);
    CHECK(got == NULL);
    got = (struct aiocb *)1;
    CHECK_FAILS(aio_waitcomplete(&got, &(struct timespec){ 0, 1000000 }), EAGAIN);
    CHECK(got == NULL);
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 65536, 0), direct = reopen(fd, O_RDWR | O_DIRECT), ends[2];
    char *in = aligned(65536);
    struct iovec parts[2] = { { in, 100 }, { in + 100, 100 } };
    struct aiocb cb = make_cb(fd, in, 100, 0), other, *list[2] = { &cb, &other }, *got;

    none_comes();
    CHECK_FAILS(aio_waitcomplete(&got, &(struct timespec){ -1, 0 }), EINVAL);
    CHECK_FAILS(aio_waitcomplete(&got, &(struct timespec){ 0, 1000000000 }), EINVAL);
    CHECK_FAILS(aio_waitcomplete(&got, &(struct timespec){ 0, -1 }), EINVAL);
    CHECK_FAILS(aio_waitcomplete(NULL, &(struct timespec){ 0, 0 }), EINVAL);

    CHECK_INT(aio_read(&cb), 0); /* cached: it has ended when the call returns */
    comes(&cb, 100);
    none_comes();
    cb = make_cb(direct, in, 4096, 4096);
    CHECK_INT(aio_read(&cb), 0);
    comes(&cb, 4096);
    check_pattern_at(in, 4096, 0, 4096);
    cb = make_cb(fd, parts, 2, 0);
    CHECK_INT(aio_readv(&cb), 0);
    comes(&cb, 200);
    CHECK_INT(aio_fsync(O_SYNC, &cb), 0);
    comes(&cb, 0);
    cb = make_cb(-1, in, 100, 0);
    CHECK_INT(aio_read(&cb), 0);
    comes(&cb, -EBADF);
    /* What the call refuses did not begin. */
    cb = make_cb(fd, NULL, 3, 0);
    CHECK_FAILS(aio_readv(&cb), EFAULT);
    cb.aio_reqprio = -1;
    CHECK_FAILS(aio_read(&cb), EINVAL);
    none_comes();

    make_pipe(ends);
    cb = make_cb(ends[0], in, 5, 0);
    CHECK_INT(aio_read(&cb), 0);
    none_comes();
    CHECK_INT(write(ends[1], "hello", 5), 5);
    comes(&cb, 5);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_INT(aio_cancel(ends[0], &cb), AIO_CANCELED);
    comes(&cb, -ECANCELED);

    /* In the order of their ends. */
    cb = make_entry(LIO_READ, ends[0], in, 1, 0);
    other = make_entry(LIO_READ, fd, in + 1, 10, 0);
    CHECK_INT(lio_listio(LIO_NOWAIT, list, 2, NULL), 0);
    comes(&other, 10);
    CHECK_INT(write(ends[1], "x", 1), 1);
    comes(&cb, 1);

    /* aio_return takes the first of the three; asked twice it takes no more. */
    cb = make_cb(fd, in, 7, 0);
    CHECK_INT(aio_read(&cb), 0);
    other = make_cb(fd, in, 8, 0);
    CHECK_INT(aio_read(&other), 0);
    CHECK_DONE(&cb, 7);
    CHECK_INT(aio_return(&cb), 7);
    comes(&other, 8);
    none_comes();
    CHECK_INT(aio_return(&other), 8);
    CHECK_INT(aio_read(&cb), 0);
    comes(&cb, 7);
    CHECK_INT(aio_read(&cb), 0);
    cb.aio_nbytes = 9;
    CHECK_DONE(&cb, 7);
    CHECK_INT(aio_read(&cb), 0);
    comes(&cb, 9);
    none_comes();
    return 0;
}
