/* What aio_readv and aio_writev refuse, where nothing has begun and aio_error says the same: more than IOV_MAX buffers, bad
   lengths, an array or buffers outside the program's memory. What the file says is the request's result [B17] (FreeBSD
   aio_read(2), "ERRORS"; vfs_aio.c, aiocb_copyin). */
// links: uringaio
// unsanitized: valgrind -- it passes memory that cannot be touched
#include "aiocb.h"
#include "memory.h"

#include <limits.h>
#include <sys/uio.h>

static struct iovec vectors[1025];
static char memory[4][8];

/* Both calls fail with `error`, and the aiocb says so. */
static void refused(int fd, struct iovec *array, size_t count, int error)
{
    struct aiocb cb = make_cb(fd, NULL, 0, 0);

    cb.aio_iov = array;
    cb.aio_iovcnt = count;
    CHECK_FAILS(aio_readv(&cb), error);
    CHECK_ENDS_WITH(&cb, error);
    cb.aio_iov = array;
    CHECK_FAILS(aio_writev(&cb), error);
    CHECK_ENDS_WITH(&cb, error);
}

/* Both requests end with `error`. */
static void fails(int fd, off_t offset, int error)
{
    struct aiocb cb = make_cb(fd, NULL, 0, offset);

    cb.aio_iov = vectors;
    cb.aio_iovcnt = 2;
    CHECK_INT(aio_readv(&cb), 0);
    CHECK_ENDS_WITH(&cb, error);
    CHECK_INT(aio_writev(&cb), 0);
    CHECK_ENDS_WITH(&cb, error);
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0), ends[2];
    struct aiocb cb = make_cb(fd, vectors, 2, 0);

    for (int i = 0; i < 1025; i++)
        vectors[i] = (struct iovec){ memory[i % 4], 8 };
    CHECK_INT(IOV_MAX, 1024);
    refused(fd, vectors, 1025, EINVAL);
    refused(fd, vectors, SIZE_MAX, EINVAL);
    refused(fd, vectors, (size_t)1 << 32, EINVAL);
    refused(fd, NULL, 1, EFAULT);
    refused(fd, no_access(), 2, EFAULT);
    refused(fd, wild(0xffff800000000000), 2, EFAULT);
    vectors[1].iov_len = SIZE_MAX;
    refused(fd, vectors, 2, EINVAL);
    vectors[1] = (struct iovec){ wild(0xffff800000000000), 8 };
    refused(fd, vectors, 2, EFAULT);
    vectors[1] = (struct iovec){ memory[1], 8 };
    cb.aio_reqprio = 21;
    CHECK_FAILS(aio_readv(&cb), EINVAL);
    CHECK_ENDS_WITH(&cb, EINVAL);
    CHECK_FAILS(aio_writev(NULL), EINVAL);

    fails(-1, 0, EBADF);
    fails(fd, -1, EINVAL);
    fails(open(".", O_RDONLY | O_PATH), 0, EBADF);
    cb = make_cb(reopen(fd, O_RDONLY), vectors, 2, 0);
    CHECK_INT(aio_writev(&cb), 0);
    CHECK_ENDS_WITH(&cb, EBADF);
    /* A buffer that cannot be written ends the read where preadv ends it. */
    vectors[1].iov_base = no_access();
    cb = make_cb(fd, vectors, 3, 0);
    CHECK_INT(aio_readv(&cb), 0);
    CHECK_DONE(&cb, preadv(fd, vectors, 3, 0));
    /* A write without a reader. */
    make_pipe(ends);
    close(ends[0]);
    cb = make_cb(ends[1], vectors, 1, 0);
    CHECK_INT(aio_writev(&cb), 0);
    CHECK_ENDS_WITH(&cb, EPIPE);
    return 0;
}
