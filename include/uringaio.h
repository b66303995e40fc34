/* What uringaio has beyond the C library's AIO, for programs that link it. Made from src/public_api.rs by tests/header.rs. */

#ifndef URINGAIO_H
#define URINGAIO_H

#include <aio.h>
#include <stddef.h>
#include <stdint.h>

/* A vectored request's buffers are an array of struct iovec (sys/uio.h) at aio_buf, aio_nbytes long. FreeBSD's names. */
#define aio_iov aio_buf
#define aio_iovcnt aio_nbytes

/**
 * The system's own AIO serves, or no AIO call has been made yet; see `uringaio_engine`.
 */
#define URINGAIO_SYSTEM 0

/**
 * io_uring serves.
 */
#define URINGAIO_IO_URING 1

/**
 * Threads of the library's own serve.
 */
#define URINGAIO_THREADS 2

/**
 * `aio_readv`, `aio_writev`, `LIO_READV` and `LIO_WRITEV` are there.
 */
#define URINGAIO_HAS_AIO_READV 1

/**
 * For `aio_lio_opcode` in a list: `LIO_READ` with this bit is `LIO_READV`, `LIO_WRITE` with it `LIO_WRITEV`. FreeBSD's names;
 * the values are the library's own, which mean nothing to the C library.
 */
#define LIO_VECTORED 64

/**
 * For `aio_lio_opcode` in a list: as `aio_readv`.
 */
#define LIO_READV 64

/**
 * For `aio_lio_opcode` in a list: as `aio_writev`.
 */
#define LIO_WRITEV 65

/**
 * `SIGEV_EVENTFD` and `uringaio_sigevent_eventfd` are there.
 */
#define URINGAIO_HAS_SIGEV_EVENTFD 1

/**
 * For `sigev_notify`: the end adds one to the count of an eventfd, whose descriptor is in `sigev_signo`. See
 * `uringaio_sigevent_eventfd`.
 */
#define SIGEV_EVENTFD 1702258276

/**
 * `uringaio_deadline` is there.
 */
#define URINGAIO_HAS_DEADLINE 1

/**
 * `aio_waitcomplete` is there.
 */
#define URINGAIO_HAS_AIO_WAITCOMPLETE 1

/**
 * Interfaces: 0 is POSIX AIO, 1 is libaio.
 */
#define URINGAIO_INTERFACES 2

/**
 * Kinds of operation: read, write, vectored read, vectored write, fsync, fdatasync, poll.
 */
#define URINGAIO_KINDS 7

/**
 * Numbers of operations at once: 1, 2, 3–4, 5–8, … 513–1024, more.
 */
#define URINGAIO_SIZES 12

/**
 * Kinds of notification: signal, callback, eventfd.
 */
#define URINGAIO_NOTIFICATIONS 3

/**
 * Everything that is counted. All numbers only grow.
 */
struct uringaio_counters {
    /**
     * Calls that submitted something, by interface: `aio_read`, `lio_listio`, `io_submit`, …
     */
    uint64_t calls[URINGAIO_INTERFACES];
    /**
     * Operations submitted by these calls, by interface.
     */
    uint64_t submitted[URINGAIO_INTERFACES];
    /**
     * Calls by the number of operations each submitted: 1, 2, 3–4, 5–8, … 513–1024, more.
     */
    uint64_t call_sizes[URINGAIO_SIZES];
    /**
     * Operations finished in the calling thread, by interface and kind.
     */
    uint64_t in_caller[URINGAIO_INTERFACES][URINGAIO_KINDS];
    /**
     * Operations that the engine accepted, by interface and kind.
     */
    uint64_t by_engine[URINGAIO_INTERFACES][URINGAIO_KINDS];
    /**
     * Operations that the engine finished, by interface. What it accepted and did not finish is in flight.
     */
    uint64_t engine_finished[URINGAIO_INTERFACES];
    /**
     * Operations that ended in an error, by interface. Canceled ones are not among them.
     */
    uint64_t failed[URINGAIO_INTERFACES];
    /**
     * Operations that ended canceled, by interface.
     */
    uint64_t canceled[URINGAIO_INTERFACES];
    /**
     * Bytes read.
     */
    uint64_t bytes_read;
    /**
     * Bytes written.
     */
    uint64_t bytes_written;
    /**
     * Calls passed on to the system's own implementation, by interface.
     */
    uint64_t passed_on[URINGAIO_INTERFACES];
    /**
     * Notifications sent: signals, callbacks (`SIGEV_THREAD`), eventfds.
     */
    uint64_t notifications[URINGAIO_NOTIFICATIONS];
    /**
     * Batches that the engines' threads took up, by their number of operations: 1, 2, 3–4, 5–8, … 513–1024, more.
     */
    uint64_t engine_batches[URINGAIO_SIZES];
    /**
     * Times that an engine's thread went to sleep until it was notified or an operation completed.
     */
    uint64_t sleeps;
    /**
     * Times that it slept for the next completion alone, so that submitters need not wake it.
     */
    uint64_t timed_sleeps;
    /**
     * Times that a submitter had to wake it.
     */
    uint64_t wakes;
    /**
     * Operations on contexts that the kernel's own AIO carries (`O_DIRECT` on libaio), by interface. They are among those
     * submitted, and counted nowhere else.
     */
    uint64_t kernel_aio[URINGAIO_INTERFACES];
};

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The library's version, as `"0.1.0"`. The string is static.
 *
 * Thread-safe and async-signal-safe.
 */
const char *uringaio_version(void);

/**
 * Whether uringaio serves this process (1), or the system's own AIO does (0).
 *
 * Starts the engine if no AIO call has done so yet. Thread-safe.
 */
int uringaio_serves(void);

/**
 * What serves this process: `URINGAIO_SYSTEM`, `URINGAIO_IO_URING` or `URINGAIO_THREADS`.
 *
 * Starts nothing: before the first AIO call of the process the answer is `URINGAIO_SYSTEM`. Thread-safe and async-signal-safe.
 */
int uringaio_engine(void);

/**
 * Copies the counters of this process, as they are now, to `counters`, and returns the size of what the library has.
 *
 * `size` is `sizeof *counters`: a program that was built against another version of the library gets the part that both
 * know, and zeros behind it. Counters only grow. Other threads count meanwhile, so numbers that belong together may differ by
 * what is just happening. Thread-safe and async-signal-safe.
 *
 * # Safety
 * `counters` points to `size` bytes, or `size` is 0.
 */
size_t uringaio_read_counters(struct uringaio_counters *counters,
                              size_t size);

/**
 * Makes `event` ask for a notification by eventfd(2): the end of the request, or of the list, adds one to the count of `fd`.
 * For `aio_sigevent` of an aiocb and for the last argument of `lio_listio`.
 *
 * Each request, and each list, that was begun counts exactly once, whatever its end; its status is final before. A count at
 * its limit stays there. The eventfd is taken by `aio_read` and its like: the number may be closed or used again when they
 * have returned. They fail with `EBADF` for a descriptor that is not open, with `EINVAL` for one that is no eventfd, and with
 * `ENOSYS` where the C library's own AIO serves; nothing is begun then. An entry of a list that cannot be begun counts
 * neither for itself nor against the list, whose count comes when the others have ended.
 *
 * Does nothing but write to `event`. Thread-safe and async-signal-safe.
 *
 * # Safety
 * `event` points to a `struct sigevent`.
 */
void uringaio_sigevent_eventfd(struct sigevent *event,
                               int fd);

/**
 * Reads into several buffers, asynchronously: `aio_iovcnt` of them, in the `struct iovec` array at `aio_iov`, from
 * `aio_offset` of `aio_fildes`. As FreeBSD 13 and later have it. In everything else it is `aio_read`: status, result,
 * order, cancellation, notification. Returns 0.
 *
 * The array is copied: it may be freed when the call has returned. The aiocb and the buffers must stay until the request
 * has ended. Thread-safe.
 *
 * Errors: -1 with `errno`, and `aio_error` says the same, where nothing was begun: `EINVAL`: more than `IOV_MAX` (1024)
 * buffers, a length above `SSIZE_MAX`, or `aio_reqprio` outside 0 to 20; `EFAULT`: the array cannot be read, or a buffer
 * is no memory that a program can have; `EAGAIN`: memory or threads are out; `ENOSYS`: the C library's own AIO serves
 * (`uringaio_serves`). All other errors are the request's result.
 */
extern int aio_readv(struct aiocb *request);

/**
 * Writes from several buffers, as `aio_readv` reads into them.
 */
extern int aio_writev(struct aiocb *request);

/**
 * Gives a request that was begun a deadline, `timeout` from now by `CLOCK_MONOTONIC`. When its time is over the request is
 * stopped as `aio_cancel` stops it: `aio_error` gives `ETIMEDOUT`, `aio_return` -1, its notification is sent, and its
 * buffers are not touched from then on. Returns 0, also where the request has ended.
 *
 * What cannot be stopped ends with its own result, which may come later: what a disk or a file server is at work on, and
 * a transfer of which a pipe, socket or terminal has moved a part. What waits can be stopped: for bytes or room, for its
 * turn, for other requests (`aio_fsync`).
 *
 * A later call replaces the deadline, one with a null `timeout` removes it, and with `{ 0, 0 }` the request is stopped at
 * once. Each call costs a message to another thread and back; a deadline costs no more until it comes. Of the aiocb only
 * the address is used: it may be that of a request that has ended.
 *
 * Thread-safe.
 *
 * Errors: -1 with `errno`: `EINVAL`: a time that is negative or whose nanoseconds are not below a thousand million, or
 * `request` is null; `EAGAIN`: memory or threads are out; `ENOSYS`: the C library's own AIO serves.
 */
extern int uringaio_deadline(struct aiocb *request,
                             const struct timespec *timeout);

/**
 * Waits for the next request of the process that ends, and returns its result as `aio_return` does: a count, or -1 with
 * the request's error in `errno`. `*request` is then its aiocb; where no request is told of, a null pointer. As FreeBSD
 * has it. Requests come in the order in which they ended, each once; one whose result `aio_return` gave before does not
 * come. It serves as `aio_return`.
 *
 * `timeout` limits the wait; with `{ 0, 0 }` there is none, and without it (null) the wait has no end, also where no
 * request is outstanding.
 *
 * Ends are noted from the beginning in a program that is linked with this function, or that starts with a library that
 * is. In others (`dlsym`, plug-ins, `liburingaio.a`) they are from the first call on, which also learns of the requests
 * that are outstanding then: call it once with `{ 0, 0 }` before the first request. Ends that are never asked for, by
 * this function or `aio_return`, keep 48 bytes each.
 *
 * Thread-safe and async-signal-safe; a cancellation point.
 *
 * Errors: -1 with a null `*request`: `EAGAIN`: the time is over; `EINTR`: a signal handler ran, without a time limit one
 * without `SA_RESTART`; `EINVAL`: a time that is negative or whose nanoseconds are not below a thousand million, or
 * `request` is null; `ENOSYS`: the C library's own AIO serves.
 */
extern ssize_t aio_waitcomplete(struct aiocb **request,
                                struct timespec *timeout);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* URINGAIO_H */
