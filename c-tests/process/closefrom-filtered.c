/* A filter refuses close_range(2), as those of older container runtimes do: closefrom(3) closes all the same [C2] (glibc's goes
   through /proc/self/fd then). */
#include "aiocb.h"
#include "seccomp-filter.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1), first = MUST(fcntl(fd, F_DUPFD, 100)), second = MUST(fcntl(fd, F_DUPFD, 200));
    char in[100];
    struct aiocb cb = make_cb(fd, in, sizeof in, 0);

    refuse_call(SYS_close_range, ENOSYS);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, sizeof in);
    closefrom(first);
    CHECK(fcntl(first, F_GETFD) == -1 && errno == EBADF);
    CHECK(fcntl(second, F_GETFD) == -1 && errno == EBADF);
    cb = make_cb(fd, in, sizeof in, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, sizeof in);
    return 0;
}
