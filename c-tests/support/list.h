/* lio_listio lists of requests on one file. */
#ifndef LIST_H
#define LIST_H

#include "aiocb.h"

/* A request for a list: `opcode` LIO_READ, LIO_WRITE or LIO_NOP. */
static inline struct aiocb make_entry(int opcode, int fd, void *buffer, size_t size, off_t offset)
{
    struct aiocb cb = make_cb(fd, buffer, size, offset);

    cb.aio_lio_opcode = opcode;
    return cb;
}

/* A list's own notification by a queued signal with `value`. */
static inline struct sigevent signal_event(int signal, int value)
{
    struct sigevent event;

    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = signal;
    event.sigev_value.sival_int = value;
    return event;
}

/* A list's own notification by a call of `function(value)`. */
static inline struct sigevent thread_event(void (*function)(union sigval), void *value)
{
    struct sigevent event;

    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_THREAD;
    event.sigev_notify_function = function;
    event.sigev_value.sival_ptr = value;
    return event;
}

#endif
