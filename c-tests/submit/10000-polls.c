// face: libaio
/* 10,000 requests in flight at once, completed in a burst: nothing lost, whatever the engine's own rings hold [A1] [A10]. */
#include "iocb.h"

#define N 10000

int main(void)
{
    static struct iocb polls[N], *list[N];
    static struct io_event events[N];
    static char seen[N];
    int ends[2], efd = eventfd(0, 0);
    unsigned long long count, sum = 0;
    io_context_t context = NULL;
    int ret = io_setup(N, &context);

    if (ret == -EAGAIN)
        SKIP("the system's limit on AIO contexts (aio-max-nr) is used up");
    CHECK_INT(ret, 0);
    CHECK(pipe(ends) == 0);
    for (int round = 0; round < 2; round++) {
        char byte;

        memset(seen, 0, sizeof(seen));
        for (int i = 0; i < N; i++) {
            list[i] = &polls[i];
            io_prep_poll(&polls[i], ends[0], POLLIN);
            io_set_eventfd(&polls[i], efd);
        }
        CHECK_INT(io_submit(context, N, list), N);
        none_left(context);
        CHECK_INT(write(ends[1], "x", 1), 1);
        for (sum = 0; sum < N; sum += count)
            CHECK_INT(read(efd, &count, sizeof(count)), 8);
        CHECK_INT(sum, N);
        CHECK_INT(ring_ready(context), N);
        reap(context, N, events);
        for (int i = 0; i < N; i++) {
            CHECK(!seen[events[i].obj - polls]);
            seen[events[i].obj - polls] = 1;
            CHECK(events[i].res & POLLIN);
        }
        CHECK_INT(read(ends[0], &byte, 1), 1);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
