/* POSIX AIO for the programs that include behaviour.h: making aiocbs and waiting for them. */
#ifndef POSIX_CALLS_H
#define POSIX_CALLS_H

#include <aio.h>

#include "behaviour.h"

/* An aiocb for `size` bytes at `offset`, without notification. */
static inline struct aiocb cb_of(int fd, void *buffer, size_t size, off_t offset)
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

/* Waits until the request is done, in aio_suspend without a time limit: the program's deadline ends a lost wake-up. */
static inline void await_cb(const struct aiocb *cb)
{
    while (aio_error(cb) == EINPROGRESS) {
        if (aio_suspend(&cb, 1, NULL) == -1 && errno != EINTR)
            FAIL("aio_suspend: %s; then aio_error: %d", strerror(errno), aio_error(cb));
    }
}

/* The request ends well and moved `bytes`. */
#define CHECK_DONE(cb, bytes)                                                                                          \
    do {                                                                                                               \
        await_cb(cb);                                                                                                  \
        CHECK_INT(aio_error(cb), 0);                                                                                   \
        CHECK_INT(aio_return(cb), bytes);                                                                              \
    } while (0)

/* The request ends with `error` and a return value of -1. */
#define CHECK_ENDS_WITH(cb, error)                                                                                     \
    do {                                                                                                               \
        await_cb(cb);                                                                                                  \
        CHECK_INT(aio_error(cb), error);                                                                               \
        CHECK_INT(aio_return(cb), -1);                                                                                 \
    } while (0)

/* Is not done: only for requests that cannot end before the test does something. */
#define CHECK_PENDING(cb) CHECK_INT(aio_error(cb), EINPROGRESS)

#endif
