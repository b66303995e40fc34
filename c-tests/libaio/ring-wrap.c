/* Events take the ring's slots in turn, from 0, and wrap at nr, not at a power of two (A1; fs/aio.c aio_complete). */
#include "libaio-test.h"

int main(void)
{
    int fd = scratch(O_RDWR, 4096);
    io_context_t context = context_of(1);
    struct ring *ring = ring_of(context);
    char buffer[512];

    for (unsigned i = 0; i < 5 * ring->nr + 3; i++) {
        struct io_event event;
        struct iocb iocb;

        io_prep_pread(&iocb, fd, buffer, 512, 0);
        iocb.data = (void *)(uintptr_t)(i + 1);
        submit_one(context, &iocb);
        WAIT_FOR(ring->tail == (i + 1) % ring->nr);
        EQ(ring->head, i % ring->nr);
        EQ((uintptr_t)ring->events[i % ring->nr].data, i + 1);
        if (i % 2) {
            CHECK(ring_take(context, &event));
        } else {
            reap(context, 1, &event);
        }
        EQ((uintptr_t)event.data, i + 1);
        EQ((long)event.res, 512);
        EQ(ring->head, (i + 1) % ring->nr);
    }
    EQ(io_destroy(context), 0);
    return 0;
}
