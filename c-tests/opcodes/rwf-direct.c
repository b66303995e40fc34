// face: libaio
/* aio_rw_flags on O_DIRECT requests (io_prep_preadv2, io_prep_pwritev2): what a flag asks for is done or refused, as
   preadv2 and pwritev2 do, beside requests without a flag and with others in flight [A13]. */
#include "iocb.h"
#include "direct.h"

#define HIPRI 0x01
#define DSYNC 0x02
#define SYNC 0x04
#define NOWAIT 0x08
#define N 8

int main(void)
{
    static const int flags[] = {0, HIPRI, DSYNC, SYNC, NOWAIT, HIPRI | NOWAIT, DSYNC | SYNC, DSYNC | HIPRI};
    io_context_t context = make_context(64);
    int fd = direct_file();
    char *buffer = aligned(2 * N * BLOCK);

    for (int round = 0; round < 300; round++) {
        struct iocb iocbs[N], *list[N];
        struct io_event events[N];
        struct iovec vectors[N];
        int taken = 0, want[N];

        if (round % 100 == 0)
            read_blocks(context, fd, 80, 4);
        for (int i = 0; i < N; i++) {
            int rw = flags[(round + i) % N], writes = (round + i / 2) % 2;

            vectors[i] = (struct iovec){buffer + i * BLOCK, BLOCK};
            fill_pattern_at(vectors[i].iov_base, BLOCK, 0, i * BLOCK);
            ssize_t now = writes ? pwritev2(fd, &vectors[i], 1, i * BLOCK, rw) : preadv2(fd, &vectors[i], 1, i * BLOCK, rw);

            want[i] = now < 0 ? -errno : (int)now;
            if (writes)
                io_prep_pwritev2(&iocbs[i], fd, &vectors[i], 1, i * BLOCK, rw);
            else
                io_prep_preadv2(&iocbs[i], fd, &vectors[i], 1, i * BLOCK, rw);
            list[i] = &iocbs[i];
        }
        /* One refused at once ends the call, and the rest is asked for again without it. */
        for (int i = 0; i < N;) {
            int ret = io_submit(context, N - i, list + i);

            if (ret < 0) {
                CHECK_INT(ret, want[i]);
                ret = 1;
            } else {
                taken += ret;
            }
            i += ret;
        }
        reap(context, taken, events);
        for (int i = 0; i < taken; i++) {
            int which = (int)(events[i].obj - iocbs), rw = flags[(round + which) % N];
            long res = (long)events[i].res;

            /* Whether it would wait is another question each time. */
            if (res != want[which] && !(rw & NOWAIT && (res == -EAGAIN || want[which] == -EAGAIN)))
                FAIL("flags %#x: %ld, expected %d", rw, res, want[which]);
            if (res == BLOCK)
                check_pattern_at(vectors[which].iov_base, BLOCK, 0, which * BLOCK);
        }
        none_left(context);
    }
    return 0;
}
