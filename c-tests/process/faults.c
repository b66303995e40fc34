// columns: oracle preload -- the engines are chosen by the test itself
/* Every system call that the library makes fails, always or once, with every errno that it documents: no hang, no crash, no
   request lost or ended twice, and the program gets an error that it can understand (C5, C8). */
#include <fcntl.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/uio.h>

#include "aiocb.h"
#include "faults.h"
#include "process.h"

#define ERRORS(...) (const int[]){ __VA_ARGS__, 0 }
#define FAULT(call, ...) { .name = #call, .number = SYS_##call, .errors = ERRORS(__VA_ARGS__) }
#define BLOCK 4096
#define N 8

static const struct fault faults[] = {
    FAULT(io_uring_setup, EPERM, ENOSYS, ENOMEM, EMFILE, ENFILE, EINVAL),
    FAULT(io_uring_register, EPERM, EINVAL, ENOMEM, EMFILE, EBUSY, EBADF, ENOSYS),
    FAULT(io_uring_enter, EPERM, EACCES, ENOSYS, EAGAIN, EBUSY, EINTR, ENOMEM),
    { "futex", SYS_futex, ERRORS(EINTR, EAGAIN), 2, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG },
    FAULT(mmap, ENOMEM, EAGAIN, EPERM),
    FAULT(munmap, ENOMEM, EINVAL),
    FAULT(madvise, EINVAL, ENOMEM),
    FAULT(prlimit64, EPERM, EINVAL),
    FAULT(prctl, EINVAL),
    FAULT(rt_sigprocmask, EINVAL),
    FAULT(fstat, ENOMEM),
    FAULT(fstatfs, ENOSYS, EIO, EINTR),
    FAULT(fcntl, EINVAL, EMFILE),
    { "preadv2 without waiting", SYS_preadv2, ERRORS(EAGAIN, EOPNOTSUPP, ENOSYS, EINVAL), 6, RWF_NOWAIT },
    { "pwritev2 without waiting", SYS_pwritev2, ERRORS(EAGAIN, EOPNOTSUPP, ENOSYS, EINVAL), 6, RWF_NOWAIT },
    FAULT(preadv2, EINTR, EIO, ENOMEM),
    FAULT(pwritev2, EINTR, EIO, ENOSPC),
    FAULT(pread64, EINTR, EIO),
    FAULT(pwrite64, EINTR, EIO, ENOSPC),
    FAULT(fsync, EIO, EINTR),
    FAULT(ppoll, EINTR, ENOMEM),
    FAULT(rt_sigqueueinfo, EAGAIN, EPERM),
    FAULT(pidfd_open, EINVAL, EMFILE, ENOSYS, EPERM),
    FAULT(pidfd_getfd, EPERM, ENOSYS, EMFILE, EBADF),
    FAULT(close_range, ENOSYS, EPERM, ENOMEM),
    FAULT(unshare, EPERM, ENOMEM),
    FAULT(socketpair, EMFILE, ENFILE),
    FAULT(sendmsg, ETOOMANYREFS, ENOMEM),
    FAULT(recvmsg, ENOMEM, EINTR),
    FAULT(epoll_create1, EMFILE, ENOMEM),
    FAULT(epoll_ctl, ENOMEM, ENOSPC),
    FAULT(epoll_pwait, EINTR),
    FAULT(tgkill, EPERM),
};

static int injected;
static atomic_int calls, signals;

static void signalled(int number, siginfo_t *information, void *context)
{
    (void)number, (void)information, (void)context;
    atomic_fetch_add(&signals, 1);
}

static void called(union sigval value)
{
    (void)value;
    atomic_fetch_add(&calls, 1);
}

/* The request was refused, or ends: well, with `bytes` moved, or with an error that the fault explains. */
static int ends(int accepted, struct aiocb *cb, ssize_t bytes)
{
    if (accepted == -1) {
        CHECK(errno == EAGAIN || errno == ENOSYS || errno == injected);
        return 0;
    }
    AWAIT_CB(cb);
    int error = aio_error(cb);
    CHECK(error == 0 || error == EIO || error == EAGAIN || error == ENOMEM || error == EMFILE || error == injected);
    CHECK_INT(aio_return(cb), error ? -1 : bytes);
    return error == 0;
}

static void work(int error)
{
    static unsigned char out[N][BLOCK], in[N][BLOCK];
    struct aiocb cb[N], *list[N];
    int fd = temp_file(0), pipe_ends[2], accepted[N], whole[N];
    char byte = 0;

    injected = error;
    make_pipe(pipe_ends);
    on_signal(SIGRTMIN, signalled, SA_RESTART);

    /* Files: what was written well reads well. */
    for (unsigned i = 0; i < N; i++) {
        fill_pattern(out[i], BLOCK, i);
        cb[i] = make_cb(fd, out[i], BLOCK, (off_t)i * BLOCK);
        if (i == 1)
            notify_by_signal(&cb[i], SIGRTMIN, 1);
        accepted[i] = aio_write(&cb[i]);
    }
    for (int i = 0; i < N; i++)
        whole[i] = ends(accepted[i], &cb[i], BLOCK);
    cb[0] = make_cb(fd, NULL, 0, 0);
    ends(aio_fsync(O_SYNC, &cb[0]), &cb[0], 0);
    for (int i = 0; i < N; i++) {
        cb[i] = make_cb(fd, in[i], BLOCK, (off_t)i * BLOCK);
        cb[i].aio_lio_opcode = LIO_READ;
        list[i] = &cb[i];
    }
    int listed = lio_listio(LIO_WAIT, list, N, NULL);
    for (unsigned i = 0; i < N; i++)
        if (listed == 0 || (errno == EIO && aio_error(&cb[i]) == 0))
            CHECK(!whole[i] || is_pattern(in[i], BLOCK, i));
        else
            cb_done(&cb[i]);

    /* A stream: what waits is cancelled, or gets the byte; and then the next. */
    cb[0] = make_cb(pipe_ends[0], &byte, 1, 0);
    notify_by_thread(&cb[0], called, NULL);
    int first = aio_read(&cb[0]);
    int answer = first == 0 ? aio_cancel(pipe_ends[0], &cb[0]) : AIO_ALLDONE;
    if (first == 0 && answer != AIO_CANCELED && aio_error(&cb[0]) == EINPROGRESS) {
        CHECK_INT(write(pipe_ends[1], "x", 1), 1);
        ends(first, &cb[0], 1);
    } else if (first == 0) {
        AWAIT_CB(&cb[0]);
    }
    cb[1] = make_cb(pipe_ends[1], "y", 1, 0);
    ends(aio_write(&cb[1]), &cb[1], 1);
    CHECK_INT(close(fd), 0);
    CHECK(atomic_load(&calls) <= 1 && atomic_load(&signals) <= 1);
}

/* The library reads its settings when it is loaded, so each engine has a process of its own. */
int main(int argc, char **argv)
{
    static char *const engines[] = { "auto", "threads" };
    const char *engine = argc > 1 ? argv[1] : NULL;
    int points = 0, runs = 0;

    if (library_text().end == 0) {
        with_fault(&faults[0], 0, NEVER, work);
        return 0;
    }
    for (int i = 0; i < 2 && !engine; i++) {
        pid_t child = MUST(fork());

        if (child == 0) {
            setenv("URINGAIO_ENGINE", engines[i], 1);
            execl("/proc/self/exe", argv[0], engines[i], NULL);
            _exit(127);
        }
        int status = 0;
        MUST(waitpid(child, &status, 0));
        if (status != 0)
            FAIL("engine %s: wait status %d", engines[i], status);
    }
    if (!engine)
        return 0;
    with_fault(&faults[0], 0, NEVER, work);
    for (size_t f = 0; f < sizeof faults / sizeof faults[0]; f++)
        for (const int *error = faults[f].errors; *error; error++) {
            int many = 1;

            points++;
            /* Nothing can be slept on where futex always fails, and nothing done that is interrupted each time. */
            if (faults[f].number != SYS_futex && *error != EINTR)
                with_fault(&faults[f], *error, ALWAYS, work), runs++;
            for (int nth = 1; nth <= many && nth <= 6; nth++) {
                many = with_fault(&faults[f], *error, nth, work);
                runs += many >= nth;
            }
        }
    printf("%s: %d faults, each at several calls: %d runs\n", engine, points, runs);
    return 0;
}
