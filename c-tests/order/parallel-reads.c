/* Two reads on one seekable descriptor run in parallel: the second ends while the first cannot [B7]. */
// oracle-deadline: 2
#include "aiocb.h"
#include "slow-file.h"

int main(void)
{
    char first[4096], second[4096];

    slow_start();
    int fd = slow_open("a", O_RDWR);
    struct aiocb first_cb = make_cb(fd, first, sizeof first, 0);
    struct aiocb second_cb = make_cb(fd, second, sizeof second, 8192);

    slow_hold(HOLD_READ_AT_0);
    CHECK_INT(aio_read(&first_cb), 0);
    WAIT_UNTIL(atomic_load(&slow->reads_at_0) == 1);
    CHECK_INT(aio_read(&second_cb), 0);
    CHECK_DONE(&second_cb, sizeof second);
    CHECK_PENDING(&first_cb);
    slow_release(HOLD_READ_AT_0);
    CHECK_DONE(&first_cb, sizeof first);

    for (size_t i = 0; i < sizeof first; i++) {
        CHECK_INT((unsigned char)first[i], pattern_byte(SLOW_SEED, i));
        CHECK_INT((unsigned char)second[i], pattern_byte(SLOW_SEED, 8192 + i));
    }
    return 0;
}
