// face: libaio
/* A cancelled request counts on its eventfd like any other [A9] [A3]. */
#include "iocb.h"

int main(void)
{
    io_context_t context = make_context(16);
    int ends[2], efd = eventfd(0, 0);
    struct iocb polls[8];
    struct io_event event;
    unsigned long long count, sum = 0;

    CHECK(pipe(ends) == 0);
    for (int i = 0; i < 8; i++) {
        io_prep_poll(&polls[i], ends[0], POLLIN);
        io_set_eventfd(&polls[i], efd);
        submit_one(context, &polls[i]);
    }
    for (int i = 0; i < 8; i += 2)
        CHECK_INT(io_cancel(context, &polls[i], &event), -EINPROGRESS);
    while (sum < 4) {
        CHECK_INT(read(efd, &count, sizeof(count)), 8);
        sum += count;
    }
    CHECK_INT(sum, 4);
    for (int i = 0; i < 4; i++) {
        CHECK(ring_take(context, &event));
        CHECK_INT((event.obj - polls) % 2, 0);
    }
    none_left(context);
    CHECK_INT(write(ends[1], "x", 1), 1);
    while (sum < 8) {
        CHECK_INT(read(efd, &count, sizeof(count)), 8);
        sum += count;
    }
    CHECK_INT(sum, 8);
    for (int i = 0; i < 4; i++) {
        CHECK(ring_take(context, &event));
        CHECK_INT((event.obj - polls) % 2, 1);
        CHECK(event.res & POLLIN);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
