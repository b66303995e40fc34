// face: libaio
/* Random reads and writes of a file server's files, by a plain call and by AIO: the same count or error, the same bytes in memory
   and in the file, as many requests to the server. Files opened with FOPEN_DIRECT_IO, O_DIRECT, both, neither, O_APPEND and
   O_SYNC; servers that move all or a part; sizes and offsets on sectors, off them, across the end. By PREAD, PWRITE, PREADV and
   PWRITEV.

   [F3] io_submit(2): the events carry what pread(2), pwrite(2) and the like would return. */
#include "fuse-compared.h"

static long long one_vector(int writes, int fd, struct iovec *parts, int count, off_t offset)
{
    static io_context_t context;
    struct iocb iocb;

    if (!context)
        context = make_context(8);
    if (writes)
        io_prep_pwritev(&iocb, fd, parts, count, offset);
    else
        io_prep_preadv(&iocb, fd, parts, count, offset);
    return outcome(context, &iocb);
}
