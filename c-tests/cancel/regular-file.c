// face: libaio
/* io_cancel of file I/O: EINVAL, or -EINPROGRESS where it can be done, never 0; every request has its one event, with
   the whole count or -ECANCELED [A9] (multipath, sanlock). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, 1 << 20, 0), plain = reopen(fd, O_RDWR);
    io_context_t context = make_context(32);
    char *buffer = aligned(32 * 16384);

    for (int round = 0; round < 50; round++) {
        struct iocb iocbs[32], *list[32];
        struct io_event events[32], dummy;
        unsigned seen = 0, accepted = 0;

        for (int i = 0; i < 32; i++) {
            list[i] = &iocbs[i];
            io_prep_pread(&iocbs[i], i % 4 ? fd : plain, buffer + i * 16384, 16384, i * 16384);
            if (i % 8 == 5)
                io_prep_fsync(&iocbs[i], fd);
        }
        CHECK_INT(io_submit(context, 32, list), 32);
        for (int i = 0; i < 32; i++) {
            int ret = io_cancel(context, &iocbs[31 - i], &dummy);

            CHECK(ret == -EINVAL || ret == -EINPROGRESS);
            if (ret == -EINPROGRESS)
                accepted |= 1u << (31 - i);
        }
        reap(context, 32, events);
        for (int i = 0; i < 32; i++) {
            long which = events[i].obj - iocbs, res = (long)events[i].res;

            CHECK(which >= 0 && which < 32);
            CHECK(!(seen & 1u << which));
            seen |= 1u << which;
            if (res == -ECANCELED)
                CHECK(accepted & 1u << which);
            else
                CHECK_INT(res, which % 8 == 5 ? 0 : 16384);
        }
        none_left(context);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
