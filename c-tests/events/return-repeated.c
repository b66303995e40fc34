/* aio_return and aio_error of a finished request may be called any number of times, and in any order [B3]; a program that
   never calls aio_return loses nothing [B2]. */
#include "aiocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 1000, 1), closed = temp_file(O_RDWR);
    char bytes[64];
    struct aiocb good = make_cb(fd, bytes, sizeof bytes, 0), bad;

    close(closed);
    bad = make_cb(closed, bytes, sizeof bytes, 0);
    CHECK_INT(aio_read(&good), 0);
    CHECK_INT(aio_read(&bad), 0);
    for (int i = 0; i < 10; i++) {
        CHECK_DONE(&good, sizeof bytes);
        CHECK_ENDS_WITH(&bad, EBADF);
        CHECK_INT(aio_cancel(fd, &good), AIO_ALLDONE);
    }

    /* The same aiocb again and again, its result never fetched. */
    for (int i = 0; i < 2000; i++) {
        good.aio_offset = i % 900;
        CHECK_INT(aio_read(&good), 0);
        AWAIT_CB(&good);
        CHECK_INT(aio_error(&good), 0);
    }
    CHECK_INT(aio_return(&good), sizeof bytes);
    return 0;
}
