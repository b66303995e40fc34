// face: libaio
/* An epoll loop, edge-triggered, on the eventfd with io_getevents of min_nr 0 sees every completion [A3] (nginx, Samba,
   QEMU). */
#include "iocb.h"
#include <sys/epoll.h>

#define TOTAL 2000

int main(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, 1 << 20, 0), efd = eventfd(0, EFD_NONBLOCK), loop = epoll_create1(0);
    struct epoll_event interest = {.events = EPOLLIN | EPOLLET};
    io_context_t context = make_context(16);
    char *buffer = aligned(16 * 4096);
    int started = 0, ended = 0, busy[16] = {0};
    struct iocb iocbs[16];

    CHECK(efd >= 0 && loop >= 0);
    CHECK(epoll_ctl(loop, EPOLL_CTL_ADD, efd, &interest) == 0);
    while (ended < TOTAL) {
        struct epoll_event ready;
        struct timespec now = {0, 0};
        struct io_event events[16];
        unsigned long long count;
        int n;

        for (int i = 0; i < 16 && started < TOTAL; i++)
            if (!busy[i]) {
                io_prep_pread(&iocbs[i], fd, buffer + i * 4096, 4096, started % 256 * 4096);
                io_set_eventfd(&iocbs[i], efd);
                busy[i] = 1;
                submit_one(context, &iocbs[i]);
                started++;
            }
        CHECK_INT(epoll_wait(loop, &ready, 1, DEADLINE_SECONDS * 1000), 1);
        CHECK_INT(read(efd, &count, sizeof(count)), 8);
        n = io_getevents(context, 0, 16, events, &now);
        CHECK(n >= 0);
        for (int i = 0; i < n; i++) {
            CHECK_INT((long)events[i].res, 4096);
            CHECK(busy[events[i].obj - iocbs]);
            busy[events[i].obj - iocbs] = 0;
        }
        ended += n;
    }
    none_left(context);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
