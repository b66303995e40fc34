/* aio_cancel of a descriptor that is not open is EBADF (POSIX aio_cancel, ERRORS); an aiocb of another descriptor is
   EINVAL, as in glibc (POSIX leaves that open), and so is a copy of one that is in progress [B9]. */
#include "aiocb.h"

int main(void)
{
    int fd = temp_file(O_RDWR), other = temp_file(O_RDWR), ends[2];
    char byte;
    struct aiocb cb, copy;

    make_pipe(ends);
    cb = make_cb(ends[0], &byte, 1, 0);
    CHECK_FAILS(aio_cancel(-1, NULL), EBADF);
    CHECK_FAILS(aio_cancel(1 << 20, NULL), EBADF);
    CHECK_FAILS(aio_cancel(-1, &cb), EBADF);
    close(other);
    CHECK_FAILS(aio_cancel(other, NULL), EBADF);

    CHECK_INT(aio_read(&cb), 0);
    CHECK_FAILS(aio_cancel(fd, &cb), EINVAL);
    CHECK_FAILS(aio_cancel(ends[1], &cb), EINVAL);
    copy = cb;
    CHECK_FAILS(aio_cancel(ends[0], &copy), EINVAL);
    CHECK_PENDING(&cb);
    CHECK_INT(aio_cancel(ends[1], NULL), AIO_ALLDONE);
    CHECK_PENDING(&cb);
    CHECK_INT(write(ends[1], "z", 1), 1);
    CHECK_DONE(&cb, 1);
    CHECK_INT(byte, 'z');
    return 0;
}
