/* aio_reserved2 must be 0 for every opcode, and is looked at before the descriptor (A4; fs/aio.c io_submit_one). */
#include "libaio-test.h"

int main(void)
{
    int fd = scratch(O_RDWR, 4096);
    io_context_t context = context_of(8);
    struct iocb iocb, *list = &iocb;
    char buffer[16];

    for (int opcode = 0; opcode < 9; opcode++) {
        io_prep_pread(&iocb, fd, buffer, 16, 0);
        iocb.aio_lio_opcode = (short)opcode;
        iocb.u.c.__pad3 = 1LL << (7 * opcode);
        EQ(io_submit(context, 1, &list), -EINVAL);
        iocb.aio_fildes = -1;
        EQ(io_submit(context, 1, &list), -EINVAL);
        iocb.u.c.__pad3 = 0;
        EQ(io_submit(context, 1, &list), -EBADF);
    }
    none_left(context);
    EQ(io_destroy(context), 0);
    return 0;
}
