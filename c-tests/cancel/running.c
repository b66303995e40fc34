/* A read of a file that the file system is working on: it is cancelled, or it is AIO_NOTCANCELED and goes on; either way
   the answer, the status, the buffer and the notification agree [B9]. */
#include "aiocb.h"
#include "process.h"
#include "fuse-server.h"

int main(void)
{
    static char in[4096];

    fuse_start(1 << 17, 1);
    fuse_open_directly();
    int fd = fuse_open("a", O_RDWR);
    block_signal(SIGRTMIN);
    for (int i = 0; i < 10; i++) {
        struct aiocb cb = make_cb(fd, in, sizeof in, 0);

        memset(in, '?', sizeof in);
        notify_by_signal(&cb, SIGRTMIN, i);
        fuse_hold(FUSE_HOLD_READS | FUSE_HOLD_AT_ZERO);
        int before = atomic_load(&fuse->reads);
        CHECK_INT(aio_read(&cb), 0);
        WAIT_UNTIL(atomic_load(&fuse->reads) == before + 1);
        int answer = aio_cancel(fd, i % 2 ? &cb : NULL);
        if (answer == AIO_CANCELED) {
            CHECK_INT(aio_error(&cb), ECANCELED);
            CHECK_INT(aio_return(&cb), -1);
            fuse_release();
            /* Another read through the same server: the first one's answer is on its way before it. */
            struct aiocb next = make_cb(fd, &(char[1]){ 0 }, 1, 5000);
            CHECK_INT(aio_read(&next), 0);
            CHECK_DONE(&next, 1);
            CHECK(is_all(in, sizeof in, '?'));
            CHECK_INT(aio_error(&cb), ECANCELED);
        } else {
            CHECK_INT(answer, AIO_NOTCANCELED);
            fuse_release();
            AWAIT_CB(&cb);
            if (aio_error(&cb) == 0) {
                CHECK_INT(aio_return(&cb), sizeof in);
                CHECK(is_pattern(in, sizeof in, 1));
            } else {
                CHECK_INT(aio_error(&cb), ECANCELED);
                CHECK(is_all(in, sizeof in, '?'));
            }
        }
        CHECK_INT(take_signal(SIGRTMIN).si_value.sival_int, i);
        CHECK_INT(signal_is_pending(SIGRTMIN), 0);
        CHECK_INT(aio_cancel(fd, &cb), AIO_ALLDONE);
    }
    return 0;
}
