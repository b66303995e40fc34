/* Requests queued after an aio_fsync need not wait for it [B8], even while it waits for one before it. */
// oracle-deadline: 2
#include "aiocb.h"
#include "fuse-server.h"

int main(void)
{
    char bytes[4096] = { 0 }, in[4096];

    fuse_start(1 << 17, 1);
    fuse_open_directly();
    int fd = fuse_open("a", O_RDWR);
    struct aiocb write_cb = make_cb(fd, bytes, sizeof bytes, 0), sync_cb = make_cb(fd, NULL, 0, 0);
    struct aiocb later_cb = make_cb(fd, in, sizeof in, 8192);

    /* Behind an fsync that waits for a write. */
    fuse_hold(FUSE_HOLD_WRITES | FUSE_HOLD_AT_ZERO | FUSE_HOLD_FSYNCS);
    CHECK_INT(aio_write(&write_cb), 0);
    CHECK_INT(aio_fsync(O_SYNC, &sync_cb), 0);
    CHECK_INT(aio_read(&later_cb), 0);
    CHECK_DONE(&later_cb, sizeof in);
    CHECK_PENDING(&write_cb);
    CHECK_PENDING(&sync_cb);

    /* Behind one that runs. */
    atomic_store(&fuse->hold, FUSE_HOLD_FSYNCS);
    WAIT_UNTIL(atomic_load(&fuse->fsyncs) == 1);
    CHECK_INT(aio_error(&write_cb), 0);
    CHECK_INT(aio_read(&later_cb), 0);
    CHECK_DONE(&later_cb, sizeof in);
    CHECK_PENDING(&sync_cb);
    fuse_release();
    CHECK_DONE(&sync_cb, 0);
    return 0;
}
