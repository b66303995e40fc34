/* Requests queued after an aio_fsync need not wait for it [B8], even while it waits for one before it. */
// oracle-deadline: 2
#include "aiocb.h"
#include "slow-file.h"

int main(void)
{
    char bytes[4096] = { 0 }, in[4096];

    slow_start();
    int fd = slow_open("a", O_RDWR);
    struct aiocb write_cb = make_cb(fd, bytes, sizeof bytes, 0), sync_cb = make_cb(fd, NULL, 0, 0);
    struct aiocb later_cb = make_cb(fd, in, sizeof in, 8192);

    /* Behind an fsync that waits for a write. */
    slow_hold(HOLD_WRITE_AT_0 | HOLD_FSYNC);
    CHECK_INT(aio_write(&write_cb), 0);
    CHECK_INT(aio_fsync(O_SYNC, &sync_cb), 0);
    CHECK_INT(aio_read(&later_cb), 0);
    CHECK_DONE(&later_cb, sizeof in);
    CHECK_PENDING(&write_cb);
    CHECK_PENDING(&sync_cb);

    /* Behind one that runs. */
    slow_release(HOLD_WRITE_AT_0);
    WAIT_UNTIL(atomic_load(&slow->fsyncs) == 1);
    CHECK_INT(aio_error(&write_cb), 0);
    CHECK_INT(aio_read(&later_cb), 0);
    CHECK_DONE(&later_cb, sizeof in);
    CHECK_PENDING(&sync_cb);
    slow_release(HOLD_FSYNC);
    CHECK_DONE(&sync_cb, 0);
    return 0;
}
