/* 10,000 requests in flight at once, completed in a burst: nothing lost, whatever the engine's own rings hold (A1, A10). */
#include "libaio-test.h"

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
    EQ(ret, 0);
    CHECK(pipe(ends) == 0);
    for (int round = 0; round < 2; round++) {
        char byte;

        memset(seen, 0, sizeof(seen));
        for (int i = 0; i < N; i++) {
            list[i] = &polls[i];
            io_prep_poll(&polls[i], ends[0], POLLIN);
            io_set_eventfd(&polls[i], efd);
        }
        EQ(io_submit(context, N, list), N);
        none_left(context);
        EQ(write(ends[1], "x", 1), 1);
        for (sum = 0; sum < N; sum += count)
            EQ(read(efd, &count, sizeof(count)), 8);
        EQ(sum, N);
        EQ(ring_ready(context), N);
        reap(context, N, events);
        for (int i = 0; i < N; i++) {
            CHECK(!seen[events[i].obj - polls]);
            seen[events[i].obj - polls] = 1;
            CHECK(events[i].res & POLLIN);
        }
        EQ(read(ends[0], &byte, 1), 1);
    }
    EQ(io_destroy(context), 0);
    return 0;
}
