// face: libaio
/* io_context_t is the address of a ring with the kernel's header [A1] (fs/aio.c struct aio_ring, read by QEMU and fio). */
#include "iocb.h"

int main(void)
{
    io_context_t context = make_context(8);
    struct ring *ring = ring_of(context);

    CHECK_INT(sizeof(struct io_event), 32);
    CHECK_INT((uintptr_t)ring % 4096, 0);
    CHECK_INT(ring->magic, 0xa10a10a1u);
    CHECK_INT(ring->compat_features, 1);
    CHECK_INT(ring->incompat_features, 0);
    CHECK_INT(ring->header_length, 32);
    CHECK_INT(ring->head, 0);
    CHECK_INT(ring->tail, 0);
    CHECK(ring->nr > 8);
    /* Header and events fill whole pages. */
    CHECK_INT((32 + ring->nr * 32) % 4096, 0);
    /* All of it can be read and written by the program. */
    memset(&ring->events[ring->nr - 1], 0, sizeof(struct io_event));
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
