// face: libaio
/* aio_reserved2 must be 0 for every opcode, and is looked at before the descriptor [A4] (fs/aio.c io_submit_one). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);
    io_context_t context = make_context(8);
    struct iocb iocb, *list = &iocb;
    char buffer[16];

    for (int opcode = 0; opcode < 9; opcode++) {
        io_prep_pread(&iocb, fd, buffer, 16, 0);
        iocb.aio_lio_opcode = (short)opcode;
        iocb.u.c.__pad3 = 1LL << (7 * opcode);
        CHECK_INT(io_submit(context, 1, &list), -EINVAL);
        iocb.aio_fildes = -1;
        CHECK_INT(io_submit(context, 1, &list), -EINVAL);
        iocb.u.c.__pad3 = 0;
        CHECK_INT(io_submit(context, 1, &list), -EBADF);
    }
    none_left(context);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
