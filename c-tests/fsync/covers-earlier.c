/* aio_fsync covers every request that was queued on the descriptor before it: it does not even reach the file while one of
   these is not done [B8] (POSIX aio_fsync: "all I/O operations ... queued at the time of the call"). O_SYNC and O_DSYNC. */
#include "aiocb.h"
#include "fuse-server.h"

int main(void)
{
    char bytes[4096] = { 0 };
    int operations[] = { O_SYNC, O_DSYNC };

    fuse_start(1 << 17, 1);
    fuse_open_directly();
    int fd = fuse_open("a", O_RDWR);
    for (int i = 0; i < 2; i++) {
        struct aiocb write_cb = make_cb(fd, bytes, sizeof bytes, 0), sync_cb = make_cb(fd, NULL, 0, 0);

        fuse_hold(FUSE_HOLD_WRITES | FUSE_HOLD_AT_ZERO);
        CHECK_INT(aio_write(&write_cb), 0);
        WAIT_UNTIL(atomic_load(&fuse->writes) == i + 1);
        CHECK_INT(aio_fsync(operations[i], &sync_cb), 0);
        CHECK_PENDING(&sync_cb);

        /* Another file's fsync goes through meanwhile, so the held one had every chance. */
        int other = fuse_open("b", O_RDWR);
        struct aiocb other_cb = make_cb(other, NULL, 0, 0);
        CHECK_INT(aio_fsync(operations[i], &other_cb), 0);
        CHECK_DONE(&other_cb, 0);
        CHECK_INT(atomic_load(&fuse->fsyncs), 2 * i + 1);
        CHECK_PENDING(&sync_cb);

        fuse_release();
        CHECK_DONE(&sync_cb, 0);
        CHECK_INT(aio_error(&write_cb), 0);
        CHECK_INT(atomic_load(&fuse->fsyncs), 2 * i + 2);
    }
    return 0;
}
