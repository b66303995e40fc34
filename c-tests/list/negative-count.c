/* lio_listio with a count below 0 is EINVAL, and nothing is started [B4]. */
#include "aiocb.h"

int main(void)
{
    int fd = temp_file(O_RDWR);
    struct aiocb cb = make_cb(fd, "x", 1, 0);
    struct aiocb *list[] = { &cb };

    cb.aio_lio_opcode = LIO_WRITE;
    CHECK_FAILS(lio_listio(LIO_WAIT, list, -1, NULL), EINVAL);
    CHECK_FAILS(lio_listio(LIO_NOWAIT, list, INT_MIN, NULL), EINVAL);
    CHECK_INT(lseek(fd, 0, SEEK_END), 0);
    return 0;
}
