// face: libaio
/* io_cancel of what is not in flight here: EINVAL; bad pointers: EFAULT; an aio_key that io_submit did not set: EINVAL
   [A9] [A16] (fs/aio.c io_cancel). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0), ends[2];
    io_context_t context = make_context(8), other = make_context(8);
    struct iocb iocb, poll, unknown;
    struct io_event event, untouched;
    char buffer[16];

    CHECK(pipe(ends) == 0);
    memset(&event, 0x77, sizeof(event));
    untouched = event;
    memset(&unknown, 0, sizeof(unknown));
    CHECK_INT(io_cancel(context, &unknown, &event), -EINVAL);
    CHECK_INT(io_cancel(context, NULL, &event), -EFAULT);
    CHECK_INT(io_cancel(context, no_access(), &event), -EFAULT);
    CHECK_INT(io_cancel(context, wild(0xffff800000000000), &event), -EFAULT);
    CHECK_INT(io_cancel(NULL, NULL, &event), -EFAULT);
    CHECK_INT(io_cancel(NULL, &unknown, &event), -EINVAL);
    CHECK_INT(io_cancel(context, read_only(), &event), -EINVAL);
    CHECK_INT(io_cancel(context, &unknown, NULL), -EINVAL);
    CHECK_INT(io_cancel(context, &unknown, no_access()), -EINVAL);

    /* Finished, reaped or not. */
    io_prep_pread(&iocb, fd, buffer, 16, 0);
    submit_one(context, &iocb);
    WAIT_UNTIL(ring_ready(context) == 1);
    CHECK_INT(io_cancel(context, &iocb, &event), -EINVAL);
    reap(context, 1, &untouched);
    CHECK_INT(io_cancel(context, &iocb, &event), -EINVAL);

    /* In flight, but in another context, or with a key of its own making. */
    io_prep_poll(&poll, ends[0], POLLIN);
    submit_one(context, &poll);
    CHECK_INT(io_cancel(other, &poll, &event), -EINVAL);
    poll.key = 1;
    CHECK_INT(io_cancel(context, &poll, &event), -EINVAL);
    poll.key = 0;
    none_left(context);
    memset(&untouched, 0x77, sizeof(untouched));
    CHECK(memcmp(&event, &untouched, sizeof(event)) == 0);
    CHECK_INT(write(ends[1], "x", 1), 1);
    reap(context, 1, &event);
    CHECK(event.res & POLLIN);
    CHECK_INT(io_destroy(context), 0);
    CHECK_INT(io_destroy(other), 0);
    return 0;
}
