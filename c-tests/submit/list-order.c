// face: libaio
/* io_submit takes the iocbs in order and stops at the first bad one: the count of those before it, an error only when
   it is the first, never 0 [A4] (QEMU looks at iocbs[ret - 1], Ceph asserts ret > 0). */
#include "iocb.h"

#define N 8

int main(void)
{
    int fd = pattern_file(O_RDWR, 65536, 0);
    io_context_t context = make_context(64);
    struct iocb iocbs[N], *list[N];
    struct io_event events[N];
    char buffer[N][64];

    for (int bad = 0; bad < N; bad++) {
        for (int kind = 0; kind < 4; kind++) {
            static const int want[] = {-EBADF, -EINVAL, -EINVAL, -EFAULT};
            unsigned seen = 0;

            for (int i = 0; i < N; i++) {
                list[i] = &iocbs[i];
                io_prep_pread(&iocbs[i], fd, buffer[i], 64, i * 64);
            }
            if (kind == 0)
                iocbs[bad].aio_fildes = -1;
            if (kind == 1)
                iocbs[bad].aio_lio_opcode = 99;
            if (kind == 2)
                iocbs[bad].u.c.__pad3 = 1;
            if (kind == 3)
                list[bad] = NULL;
            CHECK_INT(io_submit(context, N, list), bad ? bad : want[kind]);
            if (bad)
                reap(context, bad, events);
            none_left(context);
            for (int i = 0; i < bad; i++) {
                CHECK(events[i].obj >= iocbs && events[i].obj < iocbs + bad);
                seen |= 1u << (events[i].obj - iocbs);
                CHECK_INT((long)events[i].res, 64);
            }
            CHECK_INT(seen, (1u << bad) - 1);
            /* The program goes on behind the bad one. */
            if (bad + 1 < N) {
                CHECK_INT(io_submit(context, N - bad - 1, list + bad + 1), N - bad - 1);
                reap(context, N - bad - 1, events);
            }
        }
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
