// face: libaio
/* A forked child finds the parent's contexts gone: EINVAL [A12] (fork(2): the child inherits no AIO contexts). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0), ends[2];
    io_context_t context = make_context(8);
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
    WAIT_UNTIL(ring_ready(context) == 1);
    pid = fork();
    if (pid == 0) {
        CHECK_INT(io_submit(context, 1, &list), -EINVAL);
        CHECK_INT(io_getevents(context, 1, 1, &event, &soon), -EINVAL);
        CHECK_INT(io_getevents(context, 1, 1, &event, NULL), -EINVAL);
        CHECK_INT(io_pgetevents(context, 1, 1, &event, &soon, NULL), -EINVAL);
        CHECK_INT(io_cancel(context, &poll, &event), -EINVAL);
        CHECK_INT(io_destroy(context), -EINVAL);
        _exit(0);
    }
    CHECK_CHILD(pid, 0);
    /* And the parent has lost nothing by it. */
    reap(context, 1, &event);
    CHECK(event.obj == &iocb);
    CHECK_INT(write(ends[1], "x", 1), 1);
    reap(context, 1, &event);
    CHECK(event.obj == &poll);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
