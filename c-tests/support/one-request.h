/* One read, write or fsync and its result, by the face that the program names: POSIX AIO (ONE_REQUEST_POSIX) or libaio.
   */
#ifndef ONE_REQUEST_H
#define ONE_REQUEST_H

#include "behaviour.h"
#ifdef ONE_REQUEST_POSIX
#include "aiocb.h"
#else
#include "iocb.h"
#endif

enum one_kind { ONE_READ, ONE_WRITE, ONE_FSYNC, ONE_DATASYNC };

#ifdef ONE_REQUEST_POSIX
/* The bytes moved, or -errno, whether the call or the request fails. */
static inline long long one_request(enum one_kind kind, int fd, void *buffer, size_t size, off_t offset)
{
    struct aiocb cb = make_cb(fd, buffer, size, offset);
    int ret = kind == ONE_READ    ? aio_read(&cb)
              : kind == ONE_WRITE ? aio_write(&cb)
                                  : aio_fsync(kind == ONE_FSYNC ? O_SYNC : O_DSYNC, &cb);

    if (ret == -1)
        return -errno;
    AWAIT_CB(&cb);
    return aio_error(&cb) ? -aio_error(&cb) : aio_return(&cb);
}
#else
static inline long long one_request(enum one_kind kind, int fd, void *buffer, size_t size, off_t offset)
{
    static io_context_t context;
    struct iocb iocb;

    if (!context)
        context = make_context(8);
    if (kind == ONE_READ)
        io_prep_pread(&iocb, fd, buffer, size, offset);
    else if (kind == ONE_WRITE)
        io_prep_pwrite(&iocb, fd, buffer, size, offset);
    else if (kind == ONE_FSYNC)
        io_prep_fsync(&iocb, fd);
    else
        io_prep_fdsync(&iocb, fd);
    return outcome(context, &iocb);
}
#endif

/* The same by a plain system call. */
static inline long long one_plain(enum one_kind kind, int fd, void *buffer, size_t size, off_t offset)
{
    ssize_t ret = kind == ONE_READ    ? pread(fd, buffer, size, offset)
                  : kind == ONE_WRITE ? pwrite(fd, buffer, size, offset)
                  : kind == ONE_FSYNC ? fsync(fd)
                                      : fdatasync(fd);

    return ret == -1 ? -errno : ret;
}

#endif
