// face: libaio
/* Unreaped events count as in flight, and once all are reaped there is room for nr_events again, whether they were
   taken by io_getevents or out of the ring [A10] (fs/aio.c user_refill_reqs_available). */
#include "iocb.h"

int main(void)
{
    static struct iocb iocbs[4096];
    static struct io_event events[4096];
    int fd = pattern_file(O_RDWR, 4096, 0), ends[2];
    io_context_t context = make_context(100);
    struct iocb poll, *list = &poll;
    char buffer[16];

    CHECK(pipe(ends) == 0);
    for (int round = 0; round < 30; round++) {
        int count = 0, ret;

        for (;;) {
            struct iocb *one = &iocbs[count];

            CHECK(count < 4096);
            io_prep_pread(one, fd, buffer, 16, 0);
            ret = io_submit(context, 1, &one);
            if (ret != 1)
                break;
            count++;
        }
        CHECK_INT(ret, -EAGAIN);
        CHECK(count >= 100);
        WAIT_UNTIL(ring_ready(context) == (unsigned)count);
        /* Every kind of request is refused now. */
        io_prep_poll(&poll, ends[0], POLLIN);
        CHECK_INT(io_submit(context, 1, &list), -EAGAIN);
        io_prep_fsync(&poll, fd);
        CHECK_INT(io_submit(context, 1, &list), -EAGAIN);
        if (round % 2) {
            reap(context, count, events);
        } else {
            for (int i = 0; i < count; i++)
                CHECK(ring_take(context, &events[i]));
        }
        none_left(context);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
