// face: libaio
/* io_pgetevents without a mask is io_getevents; its errors are the same, a bad mask is EFAULT [A7] [A16]. */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);
    io_context_t context = make_context(8);
    struct timespec now = {0, 0}, soon = {0, 1000000};
    struct io_event events[4];
    struct iocb iocb, *list[2] = {&iocb, &iocb};
    char buffer[16];
    sigset_t all, before, after;

    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_SETMASK, NULL, &before) == 0);
    CHECK_INT(io_pgetevents(context, 0, 0, NULL, &now, NULL), 0);
    CHECK_INT(io_pgetevents(context, 1, 4, events, &soon, NULL), 0);
    CHECK_INT(io_pgetevents(context, 1, 4, events, &soon, &all), 0);
    CHECK_INT(io_pgetevents(context, 2, 1, events, &soon, &all), -EINVAL);
    CHECK_INT(io_pgetevents(context, -1, 1, events, &soon, NULL), -EINVAL);
    CHECK_INT(io_pgetevents(context, 1, 1, events, &soon, no_access()), -EFAULT);

    io_prep_pread(&iocb, fd, buffer, 16, 0);
    CHECK_INT(io_submit(context, 2, list), 2);
    WAIT_UNTIL(ring_ready(context) == 2);
    CHECK_INT(io_pgetevents(context, 1, 1, no_access(), NULL, &all), -EFAULT);
    CHECK_INT(io_pgetevents(context, 1, 1, events, NULL, &all), 1);
    CHECK_INT(io_pgetevents(context, 1, 1, events, NULL, NULL), 1);
    CHECK(events[0].obj == &iocb);
    none_left(context);
    CHECK(pthread_sigmask(SIG_SETMASK, NULL, &after) == 0);
    for (int number = 1; number < 65; number++)
        CHECK_INT(sigismember(&after, number), sigismember(&before, number));
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
