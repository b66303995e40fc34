/* io_cancel of what is not in flight here: EINVAL; bad pointers: EFAULT; an aio_key that io_submit did not set: EINVAL
 * (A9, A16; fs/aio.c io_cancel). */
#include "libaio-test.h"

int main(void)
{
    int fd = scratch(O_RDWR, 4096), ends[2];
    io_context_t context = context_of(8), other = context_of(8);
    struct iocb iocb, poll, unknown;
    struct io_event event, untouched;
    char buffer[16];

    CHECK(pipe(ends) == 0);
    memset(&event, 0x77, sizeof(event));
    untouched = event;
    memset(&unknown, 0, sizeof(unknown));
    EQ(io_cancel(context, &unknown, &event), -EINVAL);
    EQ(io_cancel(context, NULL, &event), -EFAULT);
    EQ(io_cancel(context, no_access(), &event), -EFAULT);
    EQ(io_cancel(context, wild(0xffff800000000000), &event), -EFAULT);
    EQ(io_cancel(NULL, NULL, &event), -EFAULT);
    EQ(io_cancel(NULL, &unknown, &event), -EINVAL);
    EQ(io_cancel(context, read_only(), &event), -EINVAL);
    EQ(io_cancel(context, &unknown, NULL), -EINVAL);
    EQ(io_cancel(context, &unknown, no_access()), -EINVAL);

    /* Finished, reaped or not. */
    io_prep_pread(&iocb, fd, buffer, 16, 0);
    submit_one(context, &iocb);
    WAIT_FOR(ring_ready(context) == 1);
    EQ(io_cancel(context, &iocb, &event), -EINVAL);
    reap(context, 1, &untouched);
    EQ(io_cancel(context, &iocb, &event), -EINVAL);

    /* In flight, but in another context, or with a key of its own making. */
    io_prep_poll(&poll, ends[0], POLLIN);
    submit_one(context, &poll);
    EQ(io_cancel(other, &poll, &event), -EINVAL);
    poll.key = 1;
    EQ(io_cancel(context, &poll, &event), -EINVAL);
    poll.key = 0;
    none_left(context);
    memset(&untouched, 0x77, sizeof(untouched));
    CHECK(memcmp(&event, &untouched, sizeof(event)) == 0);
    EQ(write(ends[1], "x", 1), 1);
    reap(context, 1, &event);
    CHECK(event.res & POLLIN);
    EQ(io_destroy(context), 0);
    EQ(io_destroy(other), 0);
    return 0;
}
