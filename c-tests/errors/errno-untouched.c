// face: libaio
/* The functions of libaio return -errno and leave errno itself alone, in failure and success [A2] (libaio's io_setup(3)). */
#include "iocb.h"

#define SAME(call, want) \
    do { \
        errno = 4242; \
        CHECK_INT(call, want); \
        CHECK_INT(errno, 4242); \
    } while (0)

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0), ends[2];
    io_context_t context = NULL, none = NULL;
    struct timespec now = {0, 0}, soon = {0, 1000000};
    struct iocb iocb, poll, *list = &iocb, *polls = &poll;
    struct io_event event;
    char buffer[16];
    sigset_t all;

    sigfillset(&all);
    CHECK(pipe(ends) == 0);
    SAME(io_setup(8, &context), 0);
    SAME(io_setup(0, &none), -EINVAL);
    SAME(io_setup(8, NULL), -EFAULT);
    SAME(io_queue_init(0, &none), -EINVAL);
    io_prep_pread(&iocb, -1, buffer, 16, 0);
    SAME(io_submit(context, 1, &list), -EBADF);
    SAME(io_submit(NULL, 1, &list), -EINVAL);
    SAME(io_submit(context, 1, NULL), -EFAULT);
    io_prep_pread(&iocb, fd, buffer, 16, 0);
    SAME(io_submit(context, 1, &list), 1);
    SAME(io_getevents(context, 1, 1, &event, NULL), 1);
    SAME(io_getevents(context, 1, 1, &event, &now), 0);
    SAME(io_getevents(context, 1, 1, &event, &soon), 0);
    SAME(io_getevents(context, 2, 1, &event, &soon), -EINVAL);
    SAME(io_pgetevents(context, 1, 1, &event, &soon, &all), 0);
    SAME(io_pgetevents(NULL, 1, 1, &event, &soon, NULL), -EINVAL);
    /* A request that fails inside io_submit. */
    io_prep_pread(&iocb, fd, no_access(), 16, 0);
    SAME(io_submit(context, 1, &list), 1);
    SAME(io_getevents(context, 1, 1, &event, NULL), 1);
    CHECK_INT((long)event.res, -EFAULT);
    SAME(io_queue_run(context), 0);
    io_prep_poll(&poll, ends[0], POLLIN);
    SAME(io_submit(context, 1, &polls), 1);
    SAME(io_cancel(context, &iocb, &event), -EINVAL);
    SAME(io_cancel(context, &poll, &event), -EINPROGRESS);
    SAME(io_destroy(context), 0);
    SAME(io_destroy(context), -EINVAL);
    SAME(io_queue_release(context), -EINVAL);
    return 0;
}
