/* aio_suspend with a timeout that is no time (tv_nsec out of range): an error, and not the end of the program [C8]. POSIX
   names no error for it; EINVAL is what other functions give, EAGAIN what a normalised time gives. */
#include "aiocb.h"

int main(void)
{
    int ends[2];
    char byte;

    make_pipe(ends);
    struct aiocb cb = make_cb(ends[0], &byte, 1, 0);
    const struct aiocb *list[] = { &cb };
    struct timespec wrong[] = { { 0, -1 }, { 0, INT64_MIN }, { -5, -5 }, { INT64_MIN, INT64_MIN } };

    CHECK_INT(aio_read(&cb), 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK_INT(aio_suspend(list, 1, &wrong[i]), -1);
        CHECK(errno == EINVAL || errno == EAGAIN);
    }
    CHECK_PENDING(&cb);
    CHECK_INT(write(ends[1], "z", 1), 1);
    CHECK_DONE(&cb, 1);
    return 0;
}
