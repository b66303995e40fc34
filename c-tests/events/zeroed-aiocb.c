/* An aiocb of zeros that was never submitted: aio_error 0, aio_return 0, aio_cancel ALLDONE, aio_suspend returns [B3].
   GlusterFS and XRootD look at such aiocbs. */
#include "aiocb.h"

int main(void)
{
    struct aiocb cb;
    const struct aiocb *list[] = { &cb };

    memset(&cb, 0, sizeof cb);
    CHECK_INT(aio_error(&cb), 0);
    CHECK_INT(aio_return(&cb), 0);
    CHECK_INT(aio_suspend(list, 1, NULL), 0);
    cb.aio_fildes = temp_file(O_RDWR);
    CHECK_INT(aio_cancel(cb.aio_fildes, &cb), AIO_ALLDONE);
    CHECK_INT(aio_error(&cb), 0);
    CHECK_INT(aio_return(&cb), 0);
    return 0;
}
