/* One io_submit of 1,000 iocbs takes them all when there is room, and what fits when there is not (A4, A10). */
#include "libaio-test.h"

#define N 1000

int main(void)
{
    static struct iocb iocbs[N], *list[N];
    static struct io_event events[N];
    static char seen[N];
    int fd = scratch(O_RDWR | O_DIRECT, N * 512 + 4096), ends[2];
    io_context_t context = context_of(N), small = context_of(8);
    char *buffer = aligned(N * 512);
    int taken;

    for (int i = 0; i < N; i++) {
        list[i] = &iocbs[i];
        io_prep_pread(&iocbs[i], fd, buffer + i * 512, 512, i * 512);
    }
    EQ(io_submit(context, N, list), N);
    reap(context, N, events);
    for (int i = 0; i < N; i++) {
        long which = events[i].obj - iocbs;

        CHECK(which >= 0 && which < N && !seen[which]);
        seen[which] = 1;
        if ((long)events[i].res == -EINVAL)
            SKIP("the device wants more than 512 bytes of alignment");
        EQ((long)events[i].res, 512);
    }
    check_bytes(buffer, N * 512, 0);

    CHECK(pipe(ends) == 0);
    for (int i = 0; i < N; i++)
        io_prep_poll(&iocbs[i], ends[0], POLLIN);
    taken = io_submit(small, N, list);
    CHECK(taken >= 8 && taken < (int)ring_of(small)->nr);
    EQ(io_submit(small, N - taken, list + taken), -EAGAIN);
    EQ(write(ends[1], "x", 1), 1);
    reap(small, taken, events);
    for (int i = 0; i < taken; i++)
        CHECK(events[i].obj >= iocbs && events[i].obj < iocbs + taken);
    none_left(small);
    EQ(io_destroy(small), 0);
    EQ(io_destroy(context), 0);
    return 0;
}
