/* A forked child finds the parent's contexts gone: EINVAL (A12; fork(2): the child inherits no AIO contexts). */
#include "libaio-test.h"

int main(void)
{
    int fd = scratch(O_RDWR, 4096), ends[2];
    io_context_t context = context_of(8);
    struct timespec soon = {0, 1000000};
    struct iocb iocb, poll, *list = &iocb;
    struct io_event event;
    char buffer[16];
    pid_t pid;

    CHECK(pipe(ends) == 0);
    io_prep_pread(&iocb, fd, buffer, 16, 0);
    io_prep_poll(&poll, ends[0], POLLIN);
    submit_one(context, &iocb);
    submit_one(context, &poll);
    WAIT_FOR(ring_ready(context) == 1);
    pid = fork();
    if (pid == 0) {
        EQ(io_submit(context, 1, &list), -EINVAL);
        EQ(io_getevents(context, 1, 1, &event, &soon), -EINVAL);
        EQ(io_getevents(context, 1, 1, &event, NULL), -EINVAL);
        EQ(io_pgetevents(context, 1, 1, &event, &soon, NULL), -EINVAL);
        EQ(io_cancel(context, &poll, &event), -EINVAL);
        EQ(io_destroy(context), -EINVAL);
        _exit(0);
    }
    EQ(exit_status(pid), 0);
    /* And the parent has lost nothing by it. */
    reap(context, 1, &event);
    CHECK(event.obj == &iocb);
    EQ(write(ends[1], "x", 1), 1);
    reap(context, 1, &event);
    CHECK(event.obj == &poll);
    EQ(io_destroy(context), 0);
    return 0;
}
