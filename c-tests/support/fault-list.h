/* Every system call that the library makes, with the errnos that its manual page documents for how it is made; and the walk
   through all of them, on one engine.

   Left out: waking by futex, and by tgkill, which cannot fail for a word and a thread of the process's own, and the calls
   that end or ask for the process itself (exit_group, getpid, gettid, getuid), which cannot fail at all. */
#ifndef FAULT_LIST_H
#define FAULT_LIST_H

#include <linux/futex.h>
#include <sys/uio.h>

#include "faults.h"

#define ERRORS(...) (const int[]){ __VA_ARGS__, 0 }
#define FAULT(call, ...) { .name = #call, .number = SYS_##call, .errors = ERRORS(__VA_ARGS__) }
/* Not each time: what waits could never be done waiting. */
#define ONCE(call, ...) { .name = #call, .number = SYS_##call, .errors = ERRORS(__VA_ARGS__), .only_once = 1 }
#define ANYWHERE(call, ...) { .name = #call " by the C library", .number = SYS_##call, .errors = ERRORS(__VA_ARGS__), .anywhere = 1 }
/* Where the argument, counted from 1, has that value. */
#define WHERE(text, call, place, is, once, ...) \
    { .name = text, .number = SYS_##call, .errors = ERRORS(__VA_ARGS__), .argument = place, .value = is, .only_once = once }

static const struct fault faults[] = {
    /* io_uring */
    FAULT(io_uring_setup, EPERM, EACCES, ENOSYS, ENOMEM, EMFILE, ENFILE, EINVAL, EFAULT),
    FAULT(io_uring_register, EPERM, EACCES, EBADF, EBADFD, EBUSY, EEXIST, EFAULT, EINVAL, EMFILE, ENOMEM, ENXIO, EOPNOTSUPP, ENOSYS),
    FAULT(io_uring_enter, EPERM, EACCES, EAGAIN, EBADF, EBADFD, EBADR, EBUSY, EFAULT, EINVAL, EINTR, ENOMEM, ENXIO, EOPNOTSUPP, ETIME,
          ENOSYS),
    FAULT(uname, EFAULT),
    FAULT(signalfd4, EBADF, EINVAL, EMFILE, ENFILE, ENODEV, ENOMEM),
    FAULT(rt_sigtimedwait, EAGAIN, EINTR, EINVAL),
    /* Threads, sleep, memory */
    WHERE("futex, to wait", futex, 2, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 1, EINTR, EAGAIN, EFAULT, EINVAL, ENOSYS),
    WHERE("futex, to ask for memory that is written", futex, 2, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 0, EAGAIN, EFAULT, EINVAL, ENOSYS),
    WHERE("futex, to ask for memory that is read", futex, 2, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE_FLAG, 0, EAGAIN, EFAULT, EINVAL, ENOSYS),
    ANYWHERE(clone3, EAGAIN, ENOMEM, EPERM, EINVAL),
    ANYWHERE(mmap, ENOMEM, EAGAIN),
    ANYWHERE(mprotect, ENOMEM),
    FAULT(mmap, ENOMEM, EAGAIN, EPERM, EINVAL, ENFILE),
    FAULT(munmap, ENOMEM, EINVAL),
    FAULT(mremap, EAGAIN, EFAULT, EINVAL, ENOMEM),
    FAULT(mprotect, EACCES, EINVAL, ENOMEM),
    FAULT(madvise, EAGAIN, EINVAL, EIO, ENOMEM, EPERM),
    FAULT(prlimit64, EFAULT, EPERM, EINVAL, ESRCH),
    FAULT(prctl, EINVAL, EFAULT),
    FAULT(rt_sigprocmask, EINVAL, EFAULT),
    FAULT(rt_sigpending, EFAULT),
    /* Files */
    FAULT(fstat, EBADF, EFAULT, ENOMEM, EOVERFLOW),
    FAULT(fstatfs, EACCES, EBADF, EFAULT, EINTR, EIO, ENOMEM, ENOSYS, EOVERFLOW),
    FAULT(fcntl, EBADF, EINVAL, EMFILE, EPERM, EINTR),
    FAULT(lseek, EBADF, EINVAL, EOVERFLOW, ENXIO),
    FAULT(openat, EACCES, EINTR, EMFILE, ENFILE, ENOENT, ENOMEM),
    FAULT(readlinkat, EACCES, EINVAL, EIO, ELOOP, ENOENT, ENOMEM),
    FAULT(getsockopt, EBADF, EINVAL, ENOPROTOOPT, ENOTSOCK),
    FAULT(capget, EFAULT, EINVAL, EPERM),
    FAULT(ioprio_set, EINVAL, EPERM, ESRCH),
    FAULT(close, EBADF, EINTR, EIO, ENOSPC, EDQUOT),
    /* I/O */
    WHERE("preadv2 without waiting", preadv2, 6, RWF_NOWAIT, 0, EAGAIN, EOPNOTSUPP, ENOSYS, EINVAL, EIO, EINTR),
    WHERE("pwritev2 without waiting", pwritev2, 6, RWF_NOWAIT, 0, EAGAIN, EOPNOTSUPP, ENOSYS, EINVAL, EIO, EINTR),
    FAULT(preadv2, EINTR, EIO, ENOMEM, EBADF, EOPNOTSUPP, EINVAL),
    FAULT(pwritev2, EINTR, EIO, ENOSPC, EDQUOT, EFBIG, EPERM, EPIPE, EOPNOTSUPP, EINVAL),
    FAULT(pread64, EINTR, EIO, EBADF, EINVAL, ENXIO, EOVERFLOW),
    FAULT(pwrite64, EINTR, EIO, ENOSPC, EDQUOT, EFBIG, EPERM, EINVAL),
    FAULT(read, EAGAIN, EINTR, EIO, EBADF, EINVAL),
    FAULT(write, EAGAIN, EINTR, EIO, EBADF, ENOSPC, EPIPE, EPERM),
    FAULT(readv, EAGAIN, EINTR, EIO, EINVAL),
    FAULT(writev, EAGAIN, EINTR, EIO, EINVAL, ENOSPC, EPIPE),
    FAULT(fsync, EIO, EINTR, ENOSPC, EROFS, EINVAL, EDQUOT),
    FAULT(fdatasync, EIO, EINTR, ENOSPC, EROFS, EINVAL, EDQUOT),
    FAULT(ppoll, EFAULT, EINTR, EINVAL, ENOMEM),
    FAULT(epoll_create1, EINVAL, EMFILE, ENFILE, ENOMEM),
    FAULT(epoll_ctl, EBADF, EEXIST, EINVAL, ENOENT, ENOMEM, ENOSPC, EPERM),
    ONCE(epoll_pwait, EBADF, EFAULT, EINTR, EINVAL),
    /* The thread engine's files, and what it tells the program */
    FAULT(pidfd_open, EINVAL, EMFILE, ENFILE, ENODEV, ENOMEM, ESRCH, ENOSYS, EPERM),
    FAULT(pidfd_getfd, EBADF, EINVAL, EMFILE, ENFILE, EPERM, ESRCH, ENOSYS),
    FAULT(close_range, EINVAL, EMFILE, ENOMEM, ENOSYS, EPERM),
    FAULT(unshare, EPERM, ENOMEM, EINVAL, ENOSPC),
    FAULT(socketpair, EMFILE, ENFILE, EAFNOSUPPORT, EOPNOTSUPP),
    FAULT(sendmsg, EAGAIN, ECONNRESET, EINTR, ENOBUFS, ENOMEM, EPIPE, ETOOMANYREFS),
    FAULT(recvmsg, EAGAIN, ECONNREFUSED, EINTR, ENOMEM, ENOTCONN),
    FAULT(rt_sigqueueinfo, EAGAIN, EINVAL, EPERM, ESRCH),
    FAULT(rt_tgsigqueueinfo, EAGAIN, EINVAL, EPERM, ESRCH),
    /* The kernel's AIO, where that serves */
    FAULT(io_setup, EAGAIN, EFAULT, EINVAL, ENOMEM, ENOSYS),
    FAULT(io_submit, EAGAIN, EBADF, EFAULT, EINVAL, ENOSYS),
    FAULT(io_getevents, EFAULT, EINTR, EINVAL, ENOSYS),
    FAULT(io_cancel, EAGAIN, EFAULT, EINVAL, ENOSYS),
    FAULT(io_destroy, EFAULT, EINVAL, ENOSYS),
};

#define BY_INDEX (1u << 31)

/* What older kernels answer, in whatever runs from here on. */
static const struct fault before_6_3 =
    WHERE("registering by index", io_uring_register, 2, 6 /* FILES_UPDATE */ | BY_INDEX, 0, EINVAL);
static const struct fault before_5_18 = WHERE("registering the ring", io_uring_register, 2, 20 /* RING_FDS */, 0, EINVAL);
/* Nothing is known to be there: the futex operation of 6.7 neither. */
static const struct fault before_6_7 = WHERE("asking for operations", io_uring_register, 2, 8 /* PROBE */, 0, EINVAL);
static const struct fault no_io_uring = FAULT(io_uring_setup, EPERM);

static inline void as_on(const struct fault *kernel)
{
    struct fault everywhere = *kernel;

    everywhere.anywhere = 1;
    if (set_filter((struct text){ 0, 0 }, &everywhere, SECCOMP_RET_ERRNO | kernel->errors[0], 0) == -1)
        SKIP("seccomp: %s", strerror(errno));
}

/* Walks through the faults with `work`. The library reads its settings when it is loaded, so the program runs itself anew
   with `engine`, and with what `prepare` does. */
static inline int walk(int argc, char **argv, const char *engine, void (*prepare)(void), void (*work)(int error))
{
    int points = 0, runs = 0;

    if (library_text().end == 0) {
        with_fault(&faults[0], 0, NEVER, work);
        return 0;
    }
    if (argc == 1) {
        setenv("URINGAIO_ENGINE", engine, 1);
        if (prepare)
            prepare();
        execl("/proc/self/exe", argv[0], "prepared", NULL);
        FAIL("exec: %s", strerror(errno));
    }
    with_fault(&faults[0], 0, NEVER, work);
    for (size_t f = 0; f < sizeof faults / sizeof faults[0]; f++)
        for (const int *error = faults[f].errors; *error; error++) {
            int calls = 1;

            points++;
            /* Nothing is ever done that is interrupted each time. */
            if (!faults[f].only_once && *error != EINTR)
                with_fault(&faults[f], *error, ALWAYS, work), runs++;
            for (int nth = 1; nth <= calls && nth <= 6; nth++) {
                calls = with_fault(&faults[f], *error, nth, work);
                runs += calls >= nth;
            }
        }
    printf("%zu system calls, %d of them with each errno, each time and at the first calls: %d runs\n",
           sizeof faults / sizeof faults[0], points, runs);
    return 0;
}

#endif
