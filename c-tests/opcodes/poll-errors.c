// face: libaio
/* POLL: fields that it does not use must be 0, the mask fits 16 bits, a regular file or /dev/null is always ready, or EINVAL
   for what it can never be; a file of the kernel's may have something to wait for [A13] (fs/aio.c aio_poll). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0), ends[2];
    io_context_t context = make_context(8);
    struct iocb poll, *list = &poll;

    CHECK(pipe(ends) == 0);
    io_prep_poll(&poll, ends[1], POLLOUT);
    poll.u.c.buf = (void *)(uintptr_t)(0x10000 | POLLOUT);
    CHECK_INT(io_submit(context, 1, &list), -EINVAL);
    io_prep_poll(&poll, ends[1], POLLOUT);
    poll.u.c.nbytes = 1;
    CHECK_INT(io_submit(context, 1, &list), -EINVAL);
    io_prep_poll(&poll, ends[1], POLLOUT);
    poll.u.c.offset = 1;
    CHECK_INT(io_submit(context, 1, &list), -EINVAL);
    io_prep_poll(&poll, ends[1], POLLOUT);
    poll.aio_rw_flags = 1;
    CHECK_INT(io_submit(context, 1, &list), -EINVAL);
    io_prep_poll(&poll, ends[1], POLLOUT);
    poll.aio_reqprio = -1;
    CHECK_INT(outcome(context, &poll), POLLOUT);

    io_prep_poll(&poll, fd, POLLIN);
    CHECK_INT(outcome(context, &poll), POLLIN);
    io_prep_poll(&poll, fd, POLLIN | POLLOUT | POLLPRI);
    CHECK_INT(outcome(context, &poll), POLLIN | POLLOUT);
    io_prep_poll(&poll, fd, POLLPRI);
    CHECK_INT(io_submit(context, 1, &list), -EINVAL);
    io_prep_poll(&poll, fd, 0);
    CHECK_INT(io_submit(context, 1, &list), -EINVAL);
    close(fd);
    fd = MUST(open("/dev/null", O_RDWR));
    io_prep_poll(&poll, fd, POLLIN);
    CHECK_INT(outcome(context, &poll), POLLIN);
    io_prep_poll(&poll, fd, POLLPRI);
    CHECK_INT(outcome(context, &poll), -EINVAL);
    io_prep_poll(&poll, fd, 0);
    CHECK_INT(outcome(context, &poll), -EINVAL);
    close(fd);
    fd = MUST(open("/proc/self/mounts", O_RDONLY));
    io_prep_poll(&poll, fd, POLLIN);
    CHECK_INT(outcome(context, &poll), POLLIN);
    io_prep_poll(&poll, fd, POLLPRI);
    submit_one(context, &poll);
    none_left(context);
    {
        struct io_event event;

        CHECK_INT(io_cancel(context, &poll, &event), -EINPROGRESS);
        reap(context, 1, &event);
        CHECK_INT((long)event.res, 0);
    }
    none_left(context);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
