/* A filter refuses close_range(2), as those of older container runtimes do: closefrom(3) closes all the same [C2] (glibc's goes
   through /proc/self/fd then). */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "aiocb.h"

static void refuse_close_range(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};

    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        SKIP("seccomp: %s", strerror(errno));
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1), first = MUST(fcntl(fd, F_DUPFD, 100)), second = MUST(fcntl(fd, F_DUPFD, 200));
    char in[100];
    struct aiocb cb = make_cb(fd, in, sizeof in, 0);

    refuse_close_range();
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
