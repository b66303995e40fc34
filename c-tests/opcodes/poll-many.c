// face: libaio
/* Many polls on many descriptors, woken in an order of their own, closed numbers included: one event each [A13] [A5]. */
#include "iocb.h"

#define N 200

int main(void)
{
    static struct iocb polls[N];
    static struct io_event events[N];
    static int ends[N][2];
    static char seen[N];
    io_context_t context = make_context(N);

    for (int i = 0; i < N; i++) {
        CHECK(pipe(ends[i]) == 0);
        io_prep_poll(&polls[i], ends[i][0], POLLIN);
        submit_one(context, &polls[i]);
    }
    for (int i = 0; i < N; i += 3)
        CHECK(close(ends[i][0]) == 0);
    none_left(context);
    for (int i = 0; i < N; i++)
        CHECK_INT(write(ends[i * 7 % N][1], "x", 1), 1);
    reap(context, N, events);
    for (int i = 0; i < N; i++) {
        long which = events[i].obj - polls;

        CHECK(which >= 0 && which < N && !seen[which]);
        CHECK(events[i].res & POLLIN);
        seen[which] = 1;
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
