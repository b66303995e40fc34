/* aio_suspend with a time before now, in seconds below 0: EAGAIN at once where nothing has ended, 0 where something has [B10]. */
#include "aiocb.h"

int main(void)
{
    static const struct timespec past[] = { { -1, 0 }, { -1, 999999999 }, { -1000000, 5 } };
    int ends[2];
    char byte;
    struct aiocb cb;
    const struct aiocb *list[] = { &cb };

    make_pipe(ends);
    cb = make_cb(ends[0], &byte, 1, 0);
    CHECK_INT(aio_read(&cb), 0);
    for (int i = 0; i < 3; i++)
        CHECK_FAILS(aio_suspend(list, 1, &past[i]), EAGAIN);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_DONE(&cb, 1);
    for (int i = 0; i < 3; i++)
        CHECK_INT(aio_suspend(list, 1, &past[i]), 0);
    return 0;
}
