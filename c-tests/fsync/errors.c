/* aio_fsync: an operation that is neither O_SYNC nor O_DSYNC is EINVAL, a descriptor that is not open is EBADF;
   both at once [B4] (POSIX aio_fsync, ERRORS). Where fsync(2) does not work, aio_error says EINVAL. */
#include "aiocb.h"

int main(void)
{
    int fd = temp_file(O_RDWR), ends[2];
    struct aiocb cb = make_cb(fd, NULL, 0, 0);
    int bad[] = { 0, -1, O_RDWR, O_APPEND, O_SYNC | O_APPEND, 0x7fffffff };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_FAILS(aio_fsync(bad[i], &cb), EINVAL);

    cb.aio_fildes = -1;
    CHECK_FAILS(aio_fsync(O_SYNC, &cb), EBADF);
    CHECK_FAILS(aio_fsync(O_DSYNC, &cb), EBADF);
    cb.aio_fildes = 1 << 20;
    CHECK_FAILS(aio_fsync(O_SYNC, &cb), EBADF);
    cb.aio_fildes = MUST(dup(fd));
    close(cb.aio_fildes);
    CHECK_FAILS(aio_fsync(O_DSYNC, &cb), EBADF);

    /* Open for reading only is enough, since POSIX.1-2008 and for fsync(2). */
    int file = temp_file(O_RDWR);
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    cb.aio_fildes = MUST(open(name, O_RDONLY));
    CHECK_INT(aio_fsync(O_SYNC, &cb), 0);
    CHECK_DONE(&cb, 0);

    make_pipe(ends);
    cb = make_cb(ends[1], NULL, 0, 0);
    CHECK_INT(aio_fsync(O_SYNC, &cb), 0);
    CHECK_ENDS_WITH(&cb, EINVAL);
    return 0;
}
