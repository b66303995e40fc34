/* aio_waitcomplete refuses a time limit that is none, and nowhere to write to; what has ended is told afterwards [B18]
   (FreeBSD aio_waitcomplete(2), "ERRORS"). */
// links: uringaio
#include "aiocb.h"

int main(void)
{
    struct timespec negative = { -1, 0 }, odd = { 0, 1000000000 }, now = { 0, 0 };
    struct aiocb cb, *told = &cb;
    char bytes[16];

    cb = make_cb(pattern_file(O_RDWR, 16, 0), bytes, 16, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_FAILS(aio_waitcomplete(&told, &negative), EINVAL);
    CHECK(told == NULL);
    CHECK_FAILS(aio_waitcomplete(&told, &odd), EINVAL);
    CHECK_FAILS(aio_waitcomplete(NULL, NULL), EINVAL);
    CHECK_INT(aio_waitcomplete(&told, NULL), 16);
    CHECK(told == &cb);
    CHECK_FAILS(aio_waitcomplete(&told, &now), EAGAIN);
    return 0;
}
