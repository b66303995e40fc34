// face: libaio
/* A process ends with polls of a FIFO in flight, by SIGKILL, exit, _exit or exec; once it has been waited for, the FIFO
   has no reader: a write gets EPIPE.

   [E2] pipe(7): a write without a reader fails with EPIPE; wait(2): a process that has been waited for has no
   descriptors. */
#include <poll.h>

#include "iocb.h"
#include "pipe-after-death.h"

static void read_fifo(int fd)
{
    static struct iocb iocbs[IN_FLIGHT], *list[IN_FLIGHT];
    io_context_t context = make_context(IN_FLIGHT);

    for (int i = 0; i < IN_FLIGHT; i++) {
        io_prep_poll(&iocbs[i], fd, POLLIN);
        list[i] = &iocbs[i];
    }
    CHECK_INT(io_submit(context, IN_FLIGHT, list), IN_FLIGHT);
}
