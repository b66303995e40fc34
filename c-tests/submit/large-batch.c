// face: libaio
/* One io_submit of 1,000 iocbs takes them all when there is room, and what fits when there is not [A4] [A10]. */
#include "iocb.h"

#define N 1000

int main(void)
{
    static struct iocb iocbs[N], *list[N];
    static struct io_event events[N];
    static char seen[N];
    int fd = pattern_file(O_RDWR | O_DIRECT, N * 512 + 4096, 0), ends[2];
    io_context_t context = make_context(N), small = make_context(8);
    char *buffer = aligned(N * 512);
    int taken;

    for (int i = 0; i < N; i++) {
        list[i] = &iocbs[i];
        io_prep_pread(&iocbs[i], fd, buffer + i * 512, 512, i * 512);
    }
    CHECK_INT(io_submit(context, N, list), N);
    reap(context, N, events);
    for (int i = 0; i < N; i++) {
        long which = events[i].obj - iocbs;

        CHECK(which >= 0 && which < N && !seen[which]);
        seen[which] = 1;
        if ((long)events[i].res == -EINVAL)
            SKIP("the device wants more than 512 bytes of alignment");
        CHECK_INT((long)events[i].res, 512);
    }
    check_pattern_at(buffer, N * 512, 0, 0);

    CHECK(pipe(ends) == 0);
    for (int i = 0; i < N; i++)
        io_prep_poll(&iocbs[i], ends[0], POLLIN);
    taken = io_submit(small, N, list);
    CHECK(taken >= 8 && taken < (int)ring_of(small)->nr);
    CHECK_INT(io_submit(small, N - taken, list + taken), -EAGAIN);
    CHECK_INT(write(ends[1], "x", 1), 1);
    reap(small, taken, events);
    for (int i = 0; i < taken; i++)
        CHECK(events[i].obj >= iocbs && events[i].obj < iocbs + taken);
    none_left(small);
    CHECK_INT(io_destroy(small), 0);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
