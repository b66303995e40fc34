// face: libaio
/* A buffered read of cached pages has its event in the ring when io_submit returns [A15] (libaio's harness). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 1 << 20, 0);
    io_context_t context = make_context(32);
    static char buffers[16][8192];
    struct iocb iocbs[16], *list[16];
    struct timespec now = {0, 0};
    struct io_event events[16];
    struct iovec vectors[16];

    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 16; i++) {
            list[i] = &iocbs[i];
            vectors[i] = (struct iovec){buffers[i], 8192};
            if (i % 2)
                io_prep_pread(&iocbs[i], fd, buffers[i], 8192, i * 10000 + round);
            else
                io_prep_preadv(&iocbs[i], fd, &vectors[i], 1, i * 10000 + round);
        }
        CHECK_INT(io_submit(context, 16, list), 16);
        CHECK_INT(ring_ready(context), 16);
        CHECK_INT(io_getevents(context, 0, 16, events, &now), 16);
        for (int i = 0; i < 16; i++) {
            /* And they come in the order of the list. */
            CHECK(events[i].obj == &iocbs[i]);
            CHECK_INT((long)events[i].res, 8192);
            check_pattern_at(buffers[i], 8192, 0, i * 10000 + round);
        }
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
