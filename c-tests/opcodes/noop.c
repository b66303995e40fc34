// face: libaio
/* NOOP and every number that is no opcode are EINVAL, for all 65,536 of them [A13] (fs/aio.c). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);
    io_context_t context = make_context(8);
    struct iocb iocb, *list = &iocb;
    char buffer[16];

    for (int opcode = SHRT_MIN; opcode <= SHRT_MAX; opcode++) {
        if (opcode >= 0 && opcode <= 8 && opcode != IO_CMD_NOOP && opcode != 4)
            continue;
        io_prep_pread(&iocb, fd, buffer, 16, 0);
        iocb.aio_lio_opcode = (short)opcode;
        CHECK_INT(io_submit(context, 1, &list), -EINVAL);
    }
    none_left(context);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
