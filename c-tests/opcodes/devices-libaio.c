// face: libaio
/* Descriptors that are neither files nor pipes: devices, eventfd, timerfd, directory, as the kernel serves them [A13]. */
#include "iocb.h"
#include <sys/epoll.h>
#include <sys/timerfd.h>

int main(void)
{
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR);
    int event = eventfd(5, 0), timer = timerfd_create(CLOCK_MONOTONIC, 0), loop = epoll_create1(0);
    struct itimerspec at = {.it_value = {0, 1}};
    io_context_t context = make_context(8);
    struct iocb iocb;
    char buffer[64];

    CHECK(null >= 0 && zero >= 0 && event >= 0 && timer >= 0 && loop >= 0);
    io_prep_pread(&iocb, null, buffer, 64, 0);
    CHECK_INT(outcome(context, &iocb), 0);
    io_prep_pwrite(&iocb, null, buffer, 64, 0);
    CHECK_INT(outcome(context, &iocb), 64);
    memset(buffer, 1, 64);
    io_prep_pread(&iocb, zero, buffer, 64, 1000);
    CHECK_INT(outcome(context, &iocb), 64);
    for (int i = 0; i < 64; i++)
        CHECK(buffer[i] == 0);

    io_prep_pread(&iocb, event, buffer, 8, 0);
    CHECK_INT(outcome(context, &iocb), 8);
    CHECK(*(unsigned long long *)(void *)buffer == 5);
    io_prep_pread(&iocb, event, buffer, 4, 0);
    CHECK_INT(outcome(context, &iocb), -EINVAL);
    CHECK(timerfd_settime(timer, 0, &at, NULL) == 0);
    io_prep_poll(&iocb, timer, POLLIN);
    CHECK_INT(outcome(context, &iocb), POLLIN);
    io_prep_pread(&iocb, loop, buffer, 8, 0);
    CHECK_INT(outcome(context, &iocb), -EINVAL);
    io_prep_poll(&iocb, event, POLLIN | POLLOUT);
    CHECK_INT(outcome(context, &iocb), POLLOUT);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
