// face: posix
/* A process ends with reads of a FIFO in flight, by SIGKILL, exit, _exit or exec; once it has been waited for, the FIFO
   has no reader: a write gets EPIPE.

   [E2] pipe(7): a write without a reader fails with EPIPE; wait(2): a process that has been waited for has no
   descriptors. */
#include "aiocb.h"
#include "pipe-after-death.h"

static void read_fifo(int fd)
{
    static struct aiocb cbs[IN_FLIGHT];
    static char bytes[IN_FLIGHT];

    for (int i = 0; i < IN_FLIGHT; i++) {
        cbs[i] = make_cb(fd, &bytes[i], 1, 0);
        CHECK_INT(aio_read(&cbs[i]), 0);
    }
}
