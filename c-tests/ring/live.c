// face: libaio
/* Events appear in the ring in memory while the program makes no call at all [A1] (QEMU never calls io_getevents). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, 1 << 20, 0);
    io_context_t context = make_context(16);
    struct ring *ring = ring_of(context);
    struct iocb iocbs[16], *list[16];
    char *buffer = aligned(16 * 4096);
    double end;

    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 16; i++) {
            list[i] = &iocbs[i];
            io_prep_pread(&iocbs[i], fd, buffer + i * 4096, 4096, (long long)(round + i) * 4096);
            iocbs[i].data = (void *)(uintptr_t)(round * 100 + i);
        }
        CHECK_INT(io_submit(context, 16, list), 16);
        /* Memory is all that is looked at until everything is there. */
        end = deadline_ns();
        for (unsigned long turn = 1; ring_ready(context) < 16; turn++)
            if (turn % 1000000 == 0 && now_ns() > end)
                FAIL("%u of 16 events came", ring_ready(context));
        for (int i = 0; i < 16; i++) {
            struct io_event event;
            long which;

            CHECK(ring_take(context, &event));
            which = event.obj - iocbs;
            CHECK(which >= 0 && which < 16);
            CHECK_INT((uintptr_t)event.data, round * 100 + which);
            CHECK_INT((long)event.res, 4096);
            CHECK_INT(event.res2, 0);
            check_pattern_at(buffer + which * 4096, 4096, 0, (long long)(round + which) * 4096);
        }
        CHECK_INT(ring->head, ring->tail);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
