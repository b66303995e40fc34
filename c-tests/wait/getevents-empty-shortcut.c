// face: libaio
/* libaio answers 0 from the ring alone when it is empty and the timeout is {0, 0}, before any argument is looked at
   [A7] (libaio's aio_ring_is_empty). */
#include "iocb.h"

int main(void)
{
    io_context_t context = make_context(8);
    struct timespec now = {0, 0};
    struct io_event event;

    CHECK_INT(io_getevents(context, 2, 1, &event, &now), 0);
    CHECK_INT(io_getevents(context, -1, 1, &event, &now), 0);
    CHECK_INT(io_getevents(context, 1, 1, NULL, &now), 0);
    CHECK_INT(io_getevents(context, 1, 1, no_access(), &now), 0);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
