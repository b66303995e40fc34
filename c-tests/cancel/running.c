/* A read of a file that the file system is working on: it is cancelled, or it is AIO_NOTCANCELED and goes on; either way
   the answer, the status, the buffer and the notification agree [B9]. */
#include "aiocb.h"
#include "process.h"
#include "slow-file.h"

int main(void)
{
    static char in[4096];

    slow_start();
    int fd = slow_open("a", O_RDWR);
    block_signal(SIGRTMIN);
    for (int i = 0; i < 10; i++) {
        struct aiocb cb = make_cb(fd, in, sizeof in, 0);

        memset(in, '?', sizeof in);
        notify_by_signal(&cb, SIGRTMIN, i);
        slow_hold(HOLD_READ_AT_0);
        CHECK_INT(aio_read(&cb), 0);
        WAIT_UNTIL(atomic_load(&slow->reads_at_0) == i + 1);
        int answer = aio_cancel(fd, i % 2 ? &cb : NULL);
        if (answer == AIO_CANCELED) {
            CHECK_INT(aio_error(&cb), ECANCELED);
            CHECK_INT(aio_return(&cb), -1);
            slow_release(HOLD_READ_AT_0);
            /* Another read through the same server: the first one's answer is on its way before it. */
            struct aiocb next = make_cb(fd, &(char[1]){ 0 }, 1, 5000);
            CHECK_INT(aio_read(&next), 0);
            CHECK_DONE(&next, 1);
            CHECK(is_all(in, sizeof in, '?'));
            CHECK_INT(aio_error(&cb), ECANCELED);
        } else {
            CHECK_INT(answer, AIO_NOTCANCELED);
            slow_release(HOLD_READ_AT_0);
            AWAIT_CB(&cb);
            if (aio_error(&cb) == 0) {
                CHECK_INT(aio_return(&cb), sizeof in);
                CHECK(is_pattern(in, sizeof in, SLOW_SEED));
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
