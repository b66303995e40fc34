// face: libaio
/* A program that makes or joins namespaces between its requests: a user namespace, and a mount namespace by setns, are for
   processes of one thread alone, and the kernel's AIO has no thread [C4] (unshare(2), setns(2)). By name and by number; AIO goes
   on afterwards. */
#include <sched.h>

#include "iocb.h"

static int mounts;

static int unshares_user(void)
{
    return unshare(CLONE_NEWUSER);
}

static int unshares_user_by_number(void)
{
    return syscall(SYS_unshare, CLONE_NEWUSER);
}

static int unshares_memory(void)
{
    return unshare(CLONE_VM | CLONE_SIGHAND | CLONE_THREAD);
}

static int joins_mounts(void)
{
    return setns(mounts, CLONE_NEWNS);
}

static int joins_mounts_by_number(void)
{
    return syscall(SYS_setns, mounts, CLONE_NEWNS);
}

/* A read that is not in the page cache, and a poll that has to wait. */
static void do_aio(io_context_t context)
{
    int fd = pattern_file(O_RDWR, 65536, 7), ends[2];
    static char in[65536];
    struct iocb iocb;
    struct io_event event;

    MUST(fsync(fd));
    MUST(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
    io_prep_pread(&iocb, fd, in, sizeof in, 0);
    CHECK_INT(outcome(context, &iocb), sizeof in);
    CHECK(is_pattern(in, sizeof in, 7));
    make_pipe(ends);
    io_prep_poll(&iocb, ends[0], POLLIN);
    submit_one(context, &iocb);
    CHECK_INT(write(ends[1], "x", 1), 1);
    reap(context, 1, &event);
    CHECK(event.res & POLLIN);
    close(fd);
    close(ends[0]);
    close(ends[1]);
}

static void alone(int (*call)(void), const char *name)
{
    pid_t child = MUST(fork());
    int status;

    if (child == 0) {
        io_context_t context;

        /* Whether it may be done at all. */
        if (call() != 0)
            _exit(77);
        context = make_context(8);
        do_aio(context);
        _exit(0);
    }
    CHECK_INT(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        SAY("not tried: %s", name);
        return;
    }
    CHECK_INT(status, 0);
    child = MUST(fork());
    if (child == 0) {
        io_context_t context = make_context(8);

        do_aio(context);
        if (call() != 0)
            FAIL("%s: %s", name, strerror(errno));
        do_aio(context);
        CHECK_INT(io_destroy(context), 0);
        _exit(0);
    }
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
}

int main(void)
{
    mounts = MUST(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
    alone(unshares_user, "unshare(CLONE_NEWUSER)");
    alone(unshares_user_by_number, "the same by number");
    alone(unshares_memory, "unshare(CLONE_VM)");
    alone(joins_mounts, "setns");
    alone(joins_mounts_by_number, "the same by number");
    return 0;
}
