/* The body of io-uring-restricted-posix.c, io-uring-restricted-libaio.c and of those with denied-by-filter in their names, which
   say what they do. */
#include <dlfcn.h>
#include <sys/uio.h>

#include "one-request.h"
#include "restricted.h"

#define IO_URING "io_uring"
#define WORKERS "workers"
#define BYTES 4096
#define FILES 8

/* What io_uring is asked to do; FILES_UPDATE is not needed where the table may be changed by a call. */
#define EVERYTHING                                                                                                     \
    { OP_READ, OP_WRITE, OP_READV, OP_WRITEV, OP_FSYNC, OP_ASYNC_CANCEL, OP_FUTEX_WAIT, OP_POLL_ADD }

static void vectors(int fd, unsigned char *buffer)
{
#ifndef ONE_REQUEST_POSIX
    struct iovec two[2] = { { buffer, BYTES / 2 }, { buffer + BYTES / 2, BYTES / 2 } };
    io_context_t context = make_context(8);
    struct iocb iocb;

    io_prep_pwritev(&iocb, fd, two, 2, 0);
    CHECK_INT(outcome(context, &iocb), BYTES);
    io_prep_preadv(&iocb, fd, two, 2, 0);
    CHECK_INT(outcome(context, &iocb), BYTES);
    io_destroy(context);
#else
    (void)fd;
    (void)buffer;
#endif
}

/* Requests that are outstanding while their descriptor is closed [B12], which the original does not allow; the fsync waits
   for the writes. */
static void closed_while_outstanding(void)
{
#ifdef ONE_REQUEST_POSIX
    unsigned char *buffer = new_pages(BYTES);
    struct aiocb writes[FILES], sync;
    int fd = scratch_file("closed", O_RDWR | O_DIRECT, BYTES, FILES);

    for (int i = 0; i < FILES; i++) {
        writes[i] = make_cb(fd, buffer, BYTES, i * BYTES);
        CHECK_INT(aio_write(&writes[i]), 0);
    }
    sync = make_cb(fd, NULL, 0, 0);
    CHECK_INT(aio_fsync(O_SYNC, &sync), 0);
    close(fd);
    CHECK_DONE(&sync, 0);
    for (int i = 0; i < FILES; i++)
        CHECK_DONE(&writes[i], BYTES);
#endif
}

/* A read of a pipe that nothing ends is cancelled, or said not to be. */
static void cancelled(void)
{
#ifdef ONE_REQUEST_POSIX
    int ends[2];
    char byte = 0;
    struct aiocb cb;

    make_pipe(ends);
    cb = make_cb(ends[0], &byte, 1, 0);
    CHECK_INT(aio_read(&cb), 0);
    if (aio_cancel(ends[0], &cb) != AIO_CANCELED)
        MUST(write(ends[1], "", 1));
    AWAIT_CB(&cb);
    CHECK(aio_error(&cb) == ECANCELED || aio_error(&cb) == 0);
#endif
}

/* Requests of every kind, all of which are done as ever. */
static void requests(void)
{
    unsigned char *buffer = new_pages(BYTES);
    int direct = scratch_file("direct", O_RDWR | O_DIRECT, BYTES, 1);
    int cached = scratch_file("cached", O_RDWR, BYTES, 1), ends[2];

    make_pipe(ends);
    for (int i = 0; i < 3; i++) {
        STEP("reads, writes and fsyncs of a file");
        CHECK_INT(one_request(ONE_READ, direct, buffer, BYTES, 0), BYTES);
        CHECK_INT(one_request(ONE_WRITE, direct, buffer, BYTES, 0), BYTES);
        CHECK_INT(one_request(ONE_FSYNC, direct, NULL, 0, 0), 0);
        posix_fadvise(cached, 0, 0, POSIX_FADV_DONTNEED);
        CHECK_INT(one_request(ONE_READ, cached, buffer, BYTES, 0), BYTES);
        CHECK_INT(one_request(ONE_WRITE, cached, buffer, BYTES, 0), BYTES);
        CHECK_INT(one_request(ONE_DATASYNC, cached, NULL, 0, 0), 0);
        STEP("vectors");
        vectors(direct, buffer);
        STEP("a write and a read of a pipe");
        CHECK_INT(one_request(ONE_WRITE, ends[1], buffer, 1, 0), 1);
        CHECK_INT(one_request(ONE_READ, ends[0], buffer, 1, 0), 1);
        /* The library's thread is woken from its sleep each time. */
        pause_ms(1);
    }
    STEP("a cancellation");
    cancelled();
}

/* The restricted process: `served_by` is what must serve. */
static int restricted(const char *served_by)
{
    int (*engine)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "uringaio_engine");
    static const char *const names[] = { "the system", IO_URING, WORKERS };

    start_deadline();
    requests();
    if (!engine)
        return 0;
    STEP("a descriptor that is closed");
    closed_while_outstanding();
    if (strcmp(names[engine()], served_by) != 0)
        FAIL("%s serves, not %s", names[engine()], served_by);
    return 0;
}
