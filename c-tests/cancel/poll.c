// face: libaio
/* An accepted io_cancel says -EINPROGRESS, never 0, and the event arrives in the ring, once, with res 0 for a poll;
   the event passed in is not written [A9] (fs/aio.c, measured on Linux 6.18). */
#include "iocb.h"

int main(void)
{
    io_context_t context = make_context(8);
    struct io_event event, event_in, untouched;
    struct iocb poll;
    int ends[2];

    CHECK(pipe(ends) == 0);
    memset(&untouched, 0x77, sizeof(untouched));
    for (int round = 0; round < 100; round++) {
        event_in = untouched;
        io_prep_poll(&poll, ends[0], POLLIN);
        poll.data = (void *)(uintptr_t)(round + 1);
        submit_one(context, &poll);
        none_left(context);
        CHECK_INT(io_cancel(context, &poll, round % 2 ? &event_in : NULL), -EINPROGRESS);
        if (round % 3)
            reap(context, 1, &event);
        else
            WAIT_UNTIL(ring_take(context, &event));
        CHECK(event.obj == &poll);
        CHECK_INT((uintptr_t)event.data, round + 1);
        CHECK_INT((long)event.res, 0);
        CHECK_INT((long)event.res2, 0);
        CHECK(memcmp(&event_in, &untouched, sizeof(event_in)) == 0);
        CHECK_INT(io_cancel(context, &poll, &event_in), -EINVAL);
        none_left(context);
    }
    /* Data that comes later belongs to nobody. */
    CHECK_INT(write(ends[1], "x", 1), 1);
    none_left(context);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
