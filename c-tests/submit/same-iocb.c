// face: libaio
/* One iocb may be submitted again while its first request is in flight: two events with the same obj [A5]. */
#include "iocb.h"

int main(void)
{
    io_context_t context = make_context(16);
    struct iocb iocb;
    struct io_event events[8];
    int ends[8][2];
    unsigned seen = 0;

    for (int i = 0; i < 8; i++) {
        CHECK(pipe(ends[i]) == 0);
        io_prep_poll(&iocb, ends[i][0], POLLIN);
        iocb.data = (void *)(uintptr_t)i;
        submit_one(context, &iocb);
    }
    none_left(context);
    for (int i = 0; i < 8; i++)
        CHECK_INT(write(ends[i][1], "x", 1), 1);
    reap(context, 8, events);
    for (int i = 0; i < 8; i++) {
        CHECK(events[i].obj == &iocb);
        seen |= 1u << (uintptr_t)events[i].data;
    }
    CHECK_INT(seen, 255);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
