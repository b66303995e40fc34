/* Making aiocbs and waiting for them. */
#ifndef AIOCB_H
#define AIOCB_H

#include <aio.h>
#include <pthread.h>
#include <signal.h>

#include "check.h"
#include "deadline.h"
#include "files.h"

/* An aiocb for `size` bytes at `offset`, without notification. */
static inline struct aiocb make_cb(int fd, void *buffer, size_t size, off_t offset)
{
    struct aiocb cb;

    memset(&cb, 0, sizeof cb);
    cb.aio_fildes = fd;
    cb.aio_buf = buffer;
    cb.aio_nbytes = size;
    cb.aio_offset = offset;
    cb.aio_sigevent.sigev_notify = SIGEV_NONE;
    return cb;
}

/* Waits until the request is done; false at the deadline. Uses aio_suspend, so it waits for the event. */
static inline int cb_done(const struct aiocb *cb)
{
    int64_t end = deadline_ns();

    while (aio_error(cb) == EINPROGRESS) {
        if (now_ns() > end)
            return 0;
        if (aio_suspend(&cb, 1, wait_limit()) == -1 && errno != EINTR)
            FAIL("aio_suspend: %s; then aio_error: %d", strerror(errno), aio_error(cb));
    }
    return 1;
}

#define AWAIT_CB(cb)                                                                                                   \
    do {                                                                                                               \
        if (!cb_done(cb))                                                                                              \
            FAIL("%s is still in progress after %d s", #cb, DEADLINE_SECONDS);                                         \
    } while (0)

/* The request ends well and moved `bytes`. */
#define CHECK_DONE(cb, bytes)                                                                                          \
    do {                                                                                                               \
        AWAIT_CB(cb);                                                                                                  \
        CHECK_INT(aio_error(cb), 0);                                                                                   \
        CHECK_INT(aio_return(cb), bytes);                                                                              \
    } while (0)

/* The request ends with `error` and a return value of -1. */
#define CHECK_ENDS_WITH(cb, error)                                                                                     \
    do {                                                                                                               \
        AWAIT_CB(cb);                                                                                                  \
        CHECK_INT(aio_error(cb), error);                                                                               \
        CHECK_INT(aio_return(cb), -1);                                                                                 \
    } while (0)

/* Is not done yet: only for requests that cannot end before the test does something. */
#define CHECK_PENDING(cb) CHECK_INT(aio_error(cb), EINPROGRESS)

/* Sets notification by a queued signal carrying `value`. */
static inline void notify_by_signal(struct aiocb *cb, int signal, int value)
{
    memset(&cb->aio_sigevent, 0, sizeof cb->aio_sigevent);
    cb->aio_sigevent.sigev_notify = SIGEV_SIGNAL;
    cb->aio_sigevent.sigev_signo = signal;
    cb->aio_sigevent.sigev_value.sival_int = value;
}

/* Sets notification by a call of `function(value)` on a thread. */
static inline void notify_by_thread(struct aiocb *cb, void (*function)(union sigval), void *value)
{
    memset(&cb->aio_sigevent, 0, sizeof cb->aio_sigevent);
    cb->aio_sigevent.sigev_notify = SIGEV_THREAD;
    cb->aio_sigevent.sigev_notify_function = function;
    cb->aio_sigevent.sigev_value.sival_ptr = value;
}

/* Reads the 10 bytes at the start of `fd`; `function(round)` is called, and posts `called`. */
static inline void read_and_be_called(int fd, void (*function)(union sigval), int round, sem_t *called)
{
    char in[10];
    struct aiocb cb = make_cb(fd, in, sizeof in, 0);

    notify_by_thread(&cb, function, NULL);
    cb.aio_sigevent.sigev_value.sival_int = round;
    CHECK_INT(aio_read(&cb), 0);
    AWAIT(called);
    CHECK_DONE(&cb, sizeof in);
}

#endif
