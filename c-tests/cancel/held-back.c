/* An aio_fsync that waits for a write can be cancelled, and so can requests behind others in order; a cancelled one delays
   nothing that comes after it [B8] [B9]. */
#include "aiocb.h"
#include "fuse-server.h"

int main(void)
{
    char bytes[4096] = { 0 };

    fuse_start(1 << 17, 1);
    fuse_open_directly();
    int fd = fuse_open("a", O_RDWR);
    struct aiocb write_cb = make_cb(fd, bytes, sizeof bytes, 0);
    struct aiocb sync_cb = make_cb(fd, NULL, 0, 0), second_cb = sync_cb;

    fuse_hold(FUSE_HOLD_WRITES | FUSE_HOLD_AT_ZERO);
    CHECK_INT(aio_write(&write_cb), 0);
    WAIT_UNTIL(atomic_load(&fuse->writes) == 1);
    CHECK_INT(aio_fsync(O_SYNC, &sync_cb), 0);
    CHECK_INT(aio_fsync(O_DSYNC, &second_cb), 0);
    CHECK_INT(aio_cancel(fd, &sync_cb), AIO_CANCELED);
    CHECK_INT(aio_error(&sync_cb), ECANCELED);
    CHECK_PENDING(&write_cb);
    CHECK_PENDING(&second_cb);
    CHECK_INT(atomic_load(&fuse->fsyncs), 0);
    fuse_release();
    CHECK_DONE(&write_cb, sizeof bytes);
    CHECK_DONE(&second_cb, 0);
    CHECK_INT(atomic_load(&fuse->fsyncs), 1);
    CHECK_INT(aio_error(&sync_cb), ECANCELED);

    /* Appending writes behind one that cannot end. */
    int append = fuse_open("b", O_WRONLY | O_APPEND);
    struct aiocb cb[3];
    for (int i = 0; i < 3; i++)
        cb[i] = make_cb(append, bytes, 1, 0);
    for (int i = 0; i < 3; i++)
        CHECK_INT(aio_write(&cb[i]), 0);
    for (int i = 0; i < 3; i++)
        CHECK_DONE(&cb[i], 1);
    return 0;
}
