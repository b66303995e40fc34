/* Two reads on one seekable descriptor run in parallel: the second ends while the first cannot [B7]. */
// oracle-deadline: 2
#include "aiocb.h"
#include "fuse-server.h"

int main(void)
{
    char first[4096], second[4096];

    fuse_start(1 << 17, 1);
    fuse_open_directly();
    int fd = fuse_open("a", O_RDWR);
    struct aiocb first_cb = make_cb(fd, first, sizeof first, 0);
    struct aiocb second_cb = make_cb(fd, second, sizeof second, 8192);

    fuse_hold(FUSE_HOLD_READS | FUSE_HOLD_AT_ZERO);
    CHECK_INT(aio_read(&first_cb), 0);
    WAIT_UNTIL(atomic_load(&fuse->reads) == 1);
    CHECK_INT(aio_read(&second_cb), 0);
    CHECK_DONE(&second_cb, sizeof second);
    CHECK_PENDING(&first_cb);
    fuse_release();
    CHECK_DONE(&first_cb, sizeof first);

    for (size_t i = 0; i < sizeof first; i++) {
        CHECK_INT((unsigned char)first[i], pattern_byte(1, i));
        CHECK_INT((unsigned char)second[i], pattern_byte(1, 8192 + i));
    }
    return 0;
}
