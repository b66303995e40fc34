/* LIO_WAIT with entries that fail: -1 and EIO, the others still run, and each aiocb has its own result [B4] [B11]. */
#include "list.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1);
    char in[6][10];
    struct aiocb cb[6], *list[6];

    for (int i = 0; i < 6; i++) {
        cb[i] = make_entry(LIO_READ, fd, in[i], 10, i * 10);
        list[i] = &cb[i];
    }
    cb[1].aio_fildes = -1;
    cb[2].aio_offset = -1;
    cb[3].aio_lio_opcode = 42;
    cb[4].aio_reqprio = -1;
    CHECK_FAILS(lio_listio(LIO_WAIT, list, 6, NULL), EIO);
    int errors[] = { 0, EBADF, EINVAL, EINVAL, EINVAL, 0 };
    for (int i = 0; i < 6; i++) {
        CHECK_INT(aio_error(&cb[i]), errors[i]);
        CHECK_INT(aio_return(&cb[i]), errors[i] ? -1 : 10);
        if (!errors[i])
            for (int j = 0; j < 10; j++)
                CHECK_INT((unsigned char)in[i][j], pattern_byte(1, i * 10 + j));
    }

    /* Only failed ones. */
    CHECK_FAILS(lio_listio(LIO_WAIT, list + 1, 1, NULL), EIO);
    CHECK_FAILS(lio_listio(LIO_WAIT, list + 3, 1, NULL), EIO);
    return 0;
}
