/* Requests that are done: AIO_ALLDONE, and their result stays what it was [B9]. Also for a descriptor that never had any. */
#include "aiocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1), fresh = temp_file(O_RDWR);
    char in[10];
    struct aiocb cb = make_cb(fd, in, sizeof in, 0), failed = make_cb(fd, in, sizeof in, -5);

    CHECK_INT(aio_cancel(fresh, NULL), AIO_ALLDONE);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, sizeof in);
    CHECK_INT(aio_cancel(fd, &cb), AIO_ALLDONE);
    CHECK_DONE(&cb, sizeof in);
    CHECK_INT(aio_read(&failed), 0);
    CHECK_ENDS_WITH(&failed, EINVAL);
    CHECK_INT(aio_cancel(fd, &failed), AIO_ALLDONE);
    CHECK_ENDS_WITH(&failed, EINVAL);
    CHECK_INT(aio_cancel(fd, NULL), AIO_ALLDONE);
    return 0;
}
