// face: libaio
/* aio_resfd that is open but no eventfd: EINVAL; not open: EBADF; both at io_submit, after the file and before the
   opcode is looked at [A3] (fs/aio.c). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0), ends[2], closed;
    io_context_t context = make_context(8);
    struct iocb iocb, *list = &iocb;
    char buffer[16];

    CHECK(pipe(ends) == 0);
    closed = dup(fd);
    close(closed);
    for (int opcode = 0; opcode < 9; opcode++) {
        memset(&iocb, 0, sizeof(iocb));
        if (opcode < 2)
            io_prep_pread(&iocb, fd, buffer, 16, 0);
        iocb.aio_lio_opcode = (short)opcode;
        iocb.aio_fildes = fd;
        iocb.key = 77;
        io_set_eventfd(&iocb, fd);
        CHECK_INT(io_submit(context, 1, &list), -EINVAL);
        iocb.u.c.resfd = (unsigned)ends[1];
        CHECK_INT(io_submit(context, 1, &list), -EINVAL);
        iocb.u.c.resfd = (unsigned)closed;
        CHECK_INT(io_submit(context, 1, &list), -EBADF);
        iocb.u.c.resfd = (unsigned)-1;
        CHECK_INT(io_submit(context, 1, &list), -EBADF);
        iocb.u.c.resfd = (unsigned)ends[0];
        iocb.aio_fildes = -1;
        CHECK_INT(io_submit(context, 1, &list), -EBADF);
        CHECK_INT(iocb.key, 77);
    }
    none_left(context);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
