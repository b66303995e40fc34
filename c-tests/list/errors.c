/* lio_listio: an unknown mode is EINVAL at once, and nothing of the list is started [B4] (POSIX
   lio_listio, EINVAL). */
#include "aiocb.h"

int main(void)
{
    int fd = temp_file(O_RDWR);
    struct aiocb cb = make_cb(fd, "x", 1, 0);
    struct aiocb *list[] = { &cb };

    cb.aio_lio_opcode = LIO_WRITE;
    CHECK_FAILS(lio_listio(LIO_WAIT + LIO_NOWAIT + 1, list, 1, NULL), EINVAL);
    CHECK_FAILS(lio_listio(-1, list, 1, NULL), EINVAL);
    CHECK_FAILS(lio_listio(77, list, 1, NULL), EINVAL);
    CHECK_INT(aio_cancel(fd, NULL), AIO_ALLDONE);
    CHECK_INT(lseek(fd, 0, SEEK_END), 0);
    return 0;
}
