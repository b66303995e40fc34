/* aio_suspend: a count below 0 is EINVAL; EAGAIN when the time is over [B10] (POSIX aio_suspend, ERRORS). */
#include "aiocb.h"

int main(void)
{
    int ends[2];
    char byte;
    struct timespec zero = { 0, 0 }, soon = { 0, 1000000 }, past = { -1, 0 };

    make_pipe(ends);
    struct aiocb cb = make_cb(ends[0], &byte, 1, 0);
    const struct aiocb *list[] = { &cb };

    CHECK_INT(aio_read(&cb), 0);
    CHECK_FAILS(aio_suspend(list, -1, &zero), EINVAL);
    CHECK_FAILS(aio_suspend(list, INT_MIN, NULL), EINVAL);
    CHECK_FAILS(aio_suspend(list, 1, &zero), EAGAIN);
    CHECK_FAILS(aio_suspend(list, 1, &soon), EAGAIN);
    CHECK_FAILS(aio_suspend(list, 1, &past), EAGAIN);
    CHECK_PENDING(&cb);
    CHECK_INT(write(ends[1], "z", 1), 1);
    CHECK_DONE(&cb, 1);
    return 0;
}
