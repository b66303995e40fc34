// face: libaio
/* Events take the ring's slots in turn, from 0, and wrap at nr, not at a power of two [A1] (fs/aio.c aio_complete). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);
    io_context_t context = make_context(1);
    struct ring *ring = ring_of(context);
    char buffer[512];

    for (unsigned i = 0; i < 5 * ring->nr + 3; i++) {
        struct io_event event;
        struct iocb iocb;

        io_prep_pread(&iocb, fd, buffer, 512, 0);
        iocb.data = (void *)(uintptr_t)(i + 1);
        submit_one(context, &iocb);
        WAIT_UNTIL(ring->tail == (i + 1) % ring->nr);
        CHECK_INT(ring->head, i % ring->nr);
        CHECK_INT((uintptr_t)ring->events[i % ring->nr].data, i + 1);
        if (i % 2) {
            CHECK(ring_take(context, &event));
        } else {
            reap(context, 1, &event);
        }
        CHECK_INT((uintptr_t)event.data, i + 1);
        CHECK_INT((long)event.res, 512);
        CHECK_INT(ring->head, (i + 1) % ring->nr);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
