/* aio_nbytes: 0 moves nothing and succeeds; more than SSIZE_MAX fails as read(2) and write(2) do [B4] (POSIX aio_read,
   EINVAL; Linux gives what the system call gives). */
// unsanitized: valgrind -- it passes more bytes than there are
#include "aiocb.h"

#include <sys/syscall.h>

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1);
    char byte = 'x';
    struct aiocb cb = make_cb(fd, &byte, 0, 0);

    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, 0);
    CHECK_INT(byte, 'x');
    cb = make_cb(fd, &byte, 0, 5000);
    CHECK_INT(aio_write(&cb), 0);
    CHECK_DONE(&cb, 0);
    CHECK_INT(lseek(fd, 0, SEEK_END), 100);
    cb = make_cb(fd, NULL, 0, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, 0);

    errno = 0;
    CHECK_INT(syscall(SYS_pread64, fd, &byte, (size_t)SSIZE_MAX + 1, (off_t)0), -1);
    int expected = errno;
    cb = make_cb(fd, &byte, (size_t)SSIZE_MAX + 1, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_ENDS_WITH(&cb, expected);
    cb = make_cb(fd, &byte, (size_t)-1, 0);
    CHECK_INT(aio_write(&cb), 0);
    CHECK_ENDS_WITH(&cb, expected);
    return 0;
}
