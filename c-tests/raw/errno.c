// face: libaio
/* Raw calls on a context of libaio give -1 and errno, and leave errno alone in success [A2] (stress-ng checks it). */
#include "iocb.h"

#define RAW(want, ...) \
    do { \
        long raw_want = (want); \
        errno = 4242; \
        CHECK_INT(syscall(__VA_ARGS__), raw_want < 0 ? -1 : raw_want); \
        CHECK_INT(errno, raw_want < 0 ? -raw_want : 4242); \
    } while (0)

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0), ends[2];
    io_context_t context = make_context(8), none = NULL, taken = wild(1);
    struct timespec now = {0, 0}, soon = {0, 1000000};
    struct iocb iocb, bad, poll, *list = &iocb, *bads = &bad, *polls = &poll;
    struct io_event event;
    char buffer[16];

    CHECK(pipe(ends) == 0);
    io_prep_pread(&iocb, fd, buffer, 16, 0);
    io_prep_pread(&bad, -1, buffer, 16, 0);
    io_prep_poll(&poll, ends[0], POLLIN);
    RAW(-EINVAL, SYS_io_setup, 0L, &none);
    RAW(-EINVAL, SYS_io_setup, (long)INT_MAX, &none);
    RAW(-EINVAL, SYS_io_setup, 8L, &taken);
    RAW(-EFAULT, SYS_io_setup, 8L, NULL);
    RAW(1, SYS_io_submit, context, 1L, &list);
    RAW(1, SYS_io_getevents, context, 1L, 1L, &event, NULL);
    RAW(0, SYS_io_submit, context, 0L, NULL);
    RAW(-EINVAL, SYS_io_submit, context, -1L, &list);
    RAW(-EINVAL, SYS_io_submit, NULL, 1L, &list);
    RAW(-EFAULT, SYS_io_submit, context, 1L, NULL);
    RAW(-EBADF, SYS_io_submit, context, 1L, &bads);
    RAW(0, SYS_io_getevents, context, 1L, 1L, &event, &now);
    RAW(0, SYS_io_getevents, context, 1L, 1L, &event, &soon);
    /* Here nobody answers from the ring alone: arguments are looked at. */
    RAW(-EINVAL, SYS_io_getevents, context, 2L, 1L, &event, &now);
    RAW(-EINVAL, SYS_io_getevents, context, -1L, 1L, &event, &now);
    RAW(-EINVAL, SYS_io_getevents, NULL, 1L, 1L, &event, NULL);
    RAW(-EFAULT, SYS_io_getevents, context, 1L, 1L, &event, no_access());
    RAW(1, SYS_io_submit, context, 1L, &list);
    WAIT_UNTIL(ring_ready(context) == 1);
    RAW(-EFAULT, SYS_io_getevents, context, 1L, 1L, NULL, NULL);
    RAW(1, SYS_io_getevents, context, 1L, 1L, &event, &now);
    RAW(-EINVAL, SYS_io_cancel, context, &iocb, &event);
    RAW(-EFAULT, SYS_io_cancel, context, NULL, &event);
    RAW(1, SYS_io_submit, context, 1L, &polls);
    RAW(-EINPROGRESS, SYS_io_cancel, context, &poll, &event);
    RAW(1, SYS_io_getevents, context, 1L, 1L, &event, NULL);
    RAW(0, SYS_io_destroy, context);
    RAW(-EINVAL, SYS_io_destroy, context);
    RAW(-EINVAL, SYS_io_destroy, NULL);
    return 0;
}
