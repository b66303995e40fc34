/* A daemon that has used AIO goes into an empty root directory, gives up root and its capabilities, and may not be traced:
   both POSIX AIO on files and on streams goes on, and so does what was begun before [C4]. */
// oracle-deadline: 3
#include "aiocb.h"
#include "process.h"

#include <grp.h>
#include <sys/prctl.h>

static void use_aio(int fd, const int *ends)
{
    char in[10];
    struct aiocb cb = make_cb(fd, in, sizeof in, 0), pipe_cb = make_cb(ends[0], in, 1, 0), sync_cb = make_cb(fd, NULL, 0, 0);

    CHECK_INT(aio_read(&pipe_cb), 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, sizeof in);
    CHECK_INT(aio_fsync(O_SYNC, &sync_cb), 0);
    CHECK_DONE(&sync_cb, 0);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_DONE(&pipe_cb, 1);
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1), ends[2], idle[2];
    const char *empty = test_path("empty");
    char byte;

    if (getuid() != 0)
        SKIP("needs root to become another user");
    make_pipe(ends);
    make_pipe(idle);
    MUST(mkdir(empty, 0755));
    use_aio(fd, ends);
    struct aiocb begun = make_cb(idle[0], &byte, 1, 0);
    CHECK_INT(aio_read(&begun), 0);

    if (chroot(empty) == -1)
        SKIP("chroot: %s", strerror(errno));
    MUST(chdir("/"));
    use_aio(fd, ends);
    alarm(DEADLINE_SECONDS); /* setgid hangs if a thread does not take libc's signal */
    MUST(setgroups(0, NULL));
    MUST(setresgid(65534, 65534, 65534));
    MUST(setresuid(65534, 65534, 65534));
    alarm(0);
    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    MUST(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
    use_aio(fd, ends);
    CHECK_PENDING(&begun);
    CHECK_INT(write(idle[1], "x", 1), 1);
    CHECK_DONE(&begun, 1);

    /* A child begins anew, with so little. */
    pid_t child = MUST(fork());
    if (child == 0) {
        use_aio(fd, ends);
        _exit(0);
    }
    CHECK_CHILD(child, 0);
    return 0;
}
