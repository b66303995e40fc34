/* NULL entries and LIO_NOP entries of a list are passed over, the aiocb of a LIO_NOP is not touched [B11] (POSIX
   lio_listio). */
#include "list.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1);
    char in[2][10];
    struct aiocb first = make_entry(LIO_READ, fd, in[0], 10, 0), second = make_entry(LIO_READ, fd, in[1], 10, 10);
    struct aiocb nop = make_entry(LIO_NOP, -1, NULL, 99, -7), before;
    struct aiocb *list[] = { NULL, &first, &nop, NULL, &second, NULL };

    nop.aio_reqprio = -100;
    memcpy(&before, &nop, sizeof nop);
    CHECK_INT(lio_listio(LIO_WAIT, list, 6, NULL), 0);
    CHECK_INT(aio_error(&first), 0);
    CHECK_INT(aio_return(&second), 10);
    CHECK_INT(memcmp(&before, &nop, sizeof nop), 0);
    CHECK_INT(lio_listio(LIO_NOWAIT, list, 6, NULL), 0);
    CHECK_DONE(&first, 10);
    CHECK_DONE(&second, 10);
    CHECK_INT(memcmp(&before, &nop, sizeof nop), 0);
    return 0;
}
