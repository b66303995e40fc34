/* aio_cancel names a descriptor, not a file [B9]: requests made through a duplicate stay (POSIX aio_cancel: "outstanding
   against file descriptor fildes"). */
#include "aiocb.h"

int main(void)
{
    int ends[2];
    char in = '?';

    make_pipe(ends);
    int copy = MUST(dup(ends[0]));
    struct aiocb cb = make_cb(copy, &in, 1, 0);

    CHECK_INT(aio_read(&cb), 0);
    CHECK_INT(aio_cancel(ends[0], NULL), AIO_ALLDONE);
    CHECK_PENDING(&cb);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_DONE(&cb, 1);
    CHECK_INT(in, 'x');
    return 0;
}
