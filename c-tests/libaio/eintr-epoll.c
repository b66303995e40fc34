// columns: oracle preload drop-in threads without -- forced upon it, a ring of its own could complete nothing while this thread sleeps elsewhere
/* epoll_wait, poll and select do not see EINTR while the thread's own I/O completes (C1). */
#include "eintr.h"
#include <sys/epoll.h>
#include <sys/select.h>

static int efd, loop, way;

static int sleep_once(void)
{
    struct epoll_event event;
    struct pollfd readable = {efd, POLLIN, 0};
    struct timeval patience = {PATIENCE, 0};
    unsigned long long count;
    fd_set set;
    int ret;

    FD_ZERO(&set);
    FD_SET(efd, &set);
    way++;
    if (way % 5 == 3)
        ret = poll(&readable, 1, PATIENCE * 1000);
    else if (way % 5 == 4)
        ret = select(efd + 1, &set, NULL, NULL, &patience);
    else
        ret = epoll_wait(loop, &event, 1, PATIENCE * 1000);
    if (ret == 1)
        EQ(read(efd, &count, sizeof(count)), 8);
    return ret;
}

static void end_sleep(void)
{
    unsigned long long one = 1;

    EQ(write(efd, &one, sizeof(one)), 8);
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
