/*
 * libaio's interface, for programs that are built against uringaio where libaio's own header is not installed.
 * Layouts are the kernel's (linux/aio_abi.h, 64-bit little endian); names are libaio's, see io_submit(2) and io_setup(2).
 */
#ifndef URINGAIO_LIBAIO_H
#define URINGAIO_LIBAIO_H

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/select.h> /* sigset_t: under -std=c99 <signal.h> keeps it back */
#include <sys/types.h>

#if !defined(__LP64__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "uringaio is for 64-bit little-endian machines"
#endif

#ifdef __cplusplus
extern "C" {
#endif

struct timespec;
struct sockaddr;
struct iovec;
struct iocb;

typedef struct io_context *io_context_t;

typedef enum io_iocb_cmd {
    IO_CMD_PREAD = 0,
    IO_CMD_PWRITE = 1,
    IO_CMD_FSYNC = 2,
    IO_CMD_FDSYNC = 3,
    IO_CMD_POLL = 5,
    IO_CMD_NOOP = 6,
    IO_CMD_PREADV = 7,
    IO_CMD_PWRITEV = 8,
} io_iocb_cmd_t;

struct io_iocb_poll {
    int events;
    int __pad1;
};

struct io_iocb_sockaddr {
    struct sockaddr *addr;
    int len;
};

struct io_iocb_common {
    void *buf;
    unsigned long nbytes;
    long long offset;
    long long __pad3;
    unsigned flags;
    unsigned resfd;
};

struct io_iocb_vector {
    const struct iovec *vec;
    unsigned long nr;
    long long offset;
};

struct iocb {
    void *data;
    unsigned key;
    int aio_rw_flags;
    short aio_lio_opcode;
    short aio_reqprio;
    int aio_fildes;
    union {
        struct io_iocb_common c;
        struct io_iocb_vector v;
        struct io_iocb_poll poll;
        struct io_iocb_sockaddr saddr;
    } u;
};

struct io_event {
    void *data;
    struct iocb *obj;
    unsigned long res;
    unsigned long res2;
};

typedef void (*io_callback_t)(io_context_t ctx, struct iocb *iocb, long res, long res2);

int io_setup(int maxevents, io_context_t *ctxp);
int io_destroy(io_context_t ctx);
int io_submit(io_context_t ctx, long nr, struct iocb *ios[]);
int io_cancel(io_context_t ctx, struct iocb *iocb, struct io_event *evt);
int io_getevents(io_context_t ctx, long min_nr, long nr, struct io_event *events, struct timespec *timeout);
int io_pgetevents(io_context_t ctx, long min_nr, long nr, struct io_event *events, struct timespec *timeout,
                  sigset_t *sigmask);
int io_queue_init(int maxevents, io_context_t *ctxp);
int io_queue_release(io_context_t ctx);
int io_queue_run(io_context_t ctx);
int io_queue_wait(io_context_t ctx, struct timespec *timeout);

/* What the functions below have in common: an empty iocb for one descriptor. */
static inline void uringaio_prepare(struct iocb *iocb, int fd, io_iocb_cmd_t command)
{
    memset(iocb, 0, sizeof *iocb);
    iocb->aio_fildes = fd;
    iocb->aio_lio_opcode = command;
}

static inline void uringaio_prepare_buffer(struct iocb *iocb, int fd, io_iocb_cmd_t command, void *buf, size_t count,
                                           long long offset)
{
    uringaio_prepare(iocb, fd, command);
    iocb->u.c.buf = buf;
    iocb->u.c.nbytes = count;
    iocb->u.c.offset = offset;
}

static inline void io_set_callback(struct iocb *iocb, io_callback_t callback)
{
    memcpy(&iocb->data, &callback, sizeof callback); /* ISO C has no cast from a function to an object */
}

static inline void io_set_eventfd(struct iocb *iocb, int eventfd)
{
    iocb->u.c.flags |= 1u; /* IOCB_FLAG_RESFD */
    iocb->u.c.resfd = (unsigned)eventfd;
}

static inline void io_prep_pread(struct iocb *iocb, int fd, void *buf, size_t count, long long offset)
{
    uringaio_prepare_buffer(iocb, fd, IO_CMD_PREAD, buf, count, offset);
}

static inline void io_prep_pwrite(struct iocb *iocb, int fd, void *buf, size_t count, long long offset)
{
    uringaio_prepare_buffer(iocb, fd, IO_CMD_PWRITE, buf, count, offset);
}

static inline void io_prep_preadv(struct iocb *iocb, int fd, const struct iovec *iov, int iovcnt, long long offset)
{
    uringaio_prepare_buffer(iocb, fd, IO_CMD_PREADV, (void *)iov, (size_t)iovcnt, offset);
}

static inline void io_prep_pwritev(struct iocb *iocb, int fd, const struct iovec *iov, int iovcnt, long long offset)
{
    uringaio_prepare_buffer(iocb, fd, IO_CMD_PWRITEV, (void *)iov, (size_t)iovcnt, offset);
}

static inline void io_prep_preadv2(struct iocb *iocb, int fd, const struct iovec *iov, int iovcnt, long long offset,
                                   int flags)
{
    io_prep_preadv(iocb, fd, iov, iovcnt, offset);
    iocb->aio_rw_flags = flags;
}

static inline void io_prep_pwritev2(struct iocb *iocb, int fd, const struct iovec *iov, int iovcnt, long long offset,
                                    int flags)
{
    io_prep_pwritev(iocb, fd, iov, iovcnt, offset);
    iocb->aio_rw_flags = flags;
}

static inline void io_prep_poll(struct iocb *iocb, int fd, int events)
{
    uringaio_prepare(iocb, fd, IO_CMD_POLL);
    iocb->u.poll.events = events;
}

static inline int io_poll(io_context_t ctx, struct iocb *iocb, io_callback_t callback, int fd, int events)
{
    io_prep_poll(iocb, fd, events);
    io_set_callback(iocb, callback);
    return io_submit(ctx, 1, &iocb);
}

static inline void io_prep_fsync(struct iocb *iocb, int fd)
{
    uringaio_prepare(iocb, fd, IO_CMD_FSYNC);
}

static inline int io_fsync(io_context_t ctx, struct iocb *iocb, io_callback_t callback, int fd)
{
    io_prep_fsync(iocb, fd);
    io_set_callback(iocb, callback);
    return io_submit(ctx, 1, &iocb);
}

static inline void io_prep_fdsync(struct iocb *iocb, int fd)
{
    uringaio_prepare(iocb, fd, IO_CMD_FDSYNC);
}

static inline int io_fdsync(io_context_t ctx, struct iocb *iocb, io_callback_t callback, int fd)
{
    io_prep_fdsync(iocb, fd);
    io_set_callback(iocb, callback);
    return io_submit(ctx, 1, &iocb);
}

#ifdef __cplusplus
}
#endif

#endif
