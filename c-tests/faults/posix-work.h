/* What a program does with POSIX AIO while a system call of the library's fails: all that there is, in small. */
#ifndef POSIX_WORK_H
#define POSIX_WORK_H

#include <fcntl.h>
#include <stdatomic.h>

#include "aiocb.h"
#include "fault-list.h"
#include "process.h"

#define BLOCK 4096
#define N 8

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
    int fd = temp_file(O_RDWR), pipe_ends[2], accepted[N], whole[N];
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
        /* aio_cancel does not wait for ever: an attempt that it no longer waits for may stop the request yet. */
        AWAIT_CB(&cb[0]);
        if (aio_error(&cb[0]) != ECANCELED)
            ends(first, &cb[0], 1);
    } else if (first == 0) {
        AWAIT_CB(&cb[0]);
    }
    cb[1] = make_cb(pipe_ends[1], "y", 1, 0);
    ends(aio_write(&cb[1]), &cb[1], 1);
    /* The library's own close on the program's behalf gives what the kernel answered. */
    CHECK(close(fd) == 0 || errno == injected);
    CHECK(atomic_load(&calls) <= 1 && atomic_load(&signals) <= 1);
}

#endif
