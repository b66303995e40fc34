// face: libaio
/* epoll_wait, poll and select do not see EINTR while the thread's own I/O completes [C1]. */
#include "no-eintr.h"
#include <sys/epoll.h>
#include <sys/select.h>

static int efd, loop, way;

static int sleep_once(void)
{
    struct epoll_event event;
    struct pollfd readable = {efd, POLLIN, 0};
    struct timeval patience = {DEADLINE_SECONDS, 0};
    unsigned long long count;
    fd_set set;
    int ret;

    FD_ZERO(&set);
    FD_SET(efd, &set);
    way++;
    if (way % 5 == 3)
        ret = poll(&readable, 1, DEADLINE_SECONDS * 1000);
    else if (way % 5 == 4)
        ret = select(efd + 1, &set, NULL, NULL, &patience);
    else
        ret = epoll_wait(loop, &event, 1, DEADLINE_SECONDS * 1000);
    if (ret == 1)
        CHECK_INT(read(efd, &count, sizeof(count)), 8);
    return ret;
}

static void end_sleep(void)
{
    unsigned long long one = 1;

    CHECK_INT(write(efd, &one, sizeof(one)), 8);
}

int main(void)
{
    struct epoll_event interest = {.events = EPOLLIN};

    efd = eventfd(0, 0);
    loop = epoll_create1(0);
    CHECK(epoll_ctl(loop, EPOLL_CTL_ADD, efd, &interest) == 0);
    eintr_rounds(sleep_once, end_sleep);
    return 0;
}
