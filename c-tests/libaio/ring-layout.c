/* io_context_t is the address of a ring with the kernel's header (A1; fs/aio.c struct aio_ring, read by QEMU and fio). */
#include "libaio-test.h"

int main(void)
{
    io_context_t context = context_of(8);
    struct ring *ring = ring_of(context);

    EQ(sizeof(struct io_event), 32);
    EQ((uintptr_t)ring % 4096, 0);
    EQ(ring->magic, 0xa10a10a1u);
    EQ(ring->compat_features, 1);
    EQ(ring->incompat_features, 0);
    EQ(ring->header_length, 32);
    EQ(ring->head, 0);
    EQ(ring->tail, 0);
    CHECK(ring->nr > 8);
    /* Header and events fill whole pages. */
    EQ((32 + ring->nr * 32) % 4096, 0);
    /* All of it can be read and written by the program. */
    memset(&ring->events[ring->nr - 1], 0, sizeof(struct io_event));
    EQ(io_destroy(context), 0);
    return 0;
}
