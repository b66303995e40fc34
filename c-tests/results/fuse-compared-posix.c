// face: posix
/* Random reads and writes of a file server's files, by a plain call and by AIO: the same count or error, the same bytes in memory
   and in the file, as many requests to the server. Files opened with FOPEN_DIRECT_IO, O_DIRECT, both, neither, O_APPEND and
   O_SYNC; servers that move all or a part; sizes and offsets on sectors, off them, across the end. By aio_read, aio_write and
   lio_listio.

   [F3] aio_read(3), aio_write(3): the results are those of read(2) and write(2). */
#define ONE_REQUEST_POSIX
#include "fuse-compared.h"

static long long one_vector(int writes, int fd, struct iovec *parts, int count, off_t offset)
{
    /* The parts lie side by side: a list of one. */
    struct aiocb cb = make_cb(fd, parts[0].iov_base, parts[0].iov_len + parts[1].iov_len, offset), *list[] = { &cb };
    int error;

    CHECK_INT(count, 2);
    cb.aio_lio_opcode = writes ? LIO_WRITE : LIO_READ;
    if (lio_listio(LIO_WAIT, list, 1, NULL) == -1)
        CHECK_INT(errno, EIO);
    error = aio_error(&cb);
    return error ? -error : aio_return(&cb);
}
