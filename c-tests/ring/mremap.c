// face: libaio
/* The mapping behind the context may be moved with mremap: the new address is then the context, the old one none, and
   what was in flight arrives at the new place [A17] (libaio's harness, fs/aio.c aio_ring_mremap). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, 65536, 0), ends[2];
    io_context_t context = make_context(8), moved;
    struct ring *ring;
    struct io_event event;
    struct iocb poll, read, *list = &read;
    char *buffer = aligned(4096);
    void *place;

    CHECK(pipe(ends) == 0);
    io_prep_poll(&poll, ends[0], POLLIN);
    submit_one(context, &poll);
    place = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(place != MAP_FAILED);
    moved = mremap(context, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, place);
    CHECK((void *)moved == place);
    ring = ring_of(moved);
    CHECK_INT(ring->magic, 0xa10a10a1u);

    io_prep_pread(&read, fd, buffer, 4096, 8192);
    CHECK_INT(io_submit(context, 1, &list), -EINVAL);
    CHECK_INT(io_destroy(context), -EINVAL);
    CHECK_INT(io_submit(moved, 1, &list), 1);
    WAIT_UNTIL(ring->tail == 1);
    reap(moved, 1, &event);
    CHECK(event.obj == &read);
    CHECK_INT((long)event.res, 4096);
    check_pattern_at(buffer, 4096, 0, 8192);

    CHECK_INT(write(ends[1], "x", 1), 1);
    WAIT_UNTIL(ring->tail == 2);
    CHECK(ring_take(moved, &event));
    CHECK(event.obj == &poll);
    CHECK(event.res & POLLIN);
    CHECK_INT(io_destroy(moved), 0);
    CHECK_INT(io_submit(moved, 1, &list), -EINVAL);
    return 0;
}
