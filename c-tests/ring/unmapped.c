// face: libaio
/* A program that unmaps the ring has no context any more (EINVAL), and what was in flight does no harm [A1] [A16] (fs/aio.c
   lookup_ioctx reads the ring through user memory). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, 1 << 20, 0), ends[2];
    io_context_t context = make_context(8), other = make_context(8);
    struct iocb poll, reads[7], *list[8];
    char *buffer = aligned(8 * 4096);
    struct io_event event;

    CHECK(pipe(ends) == 0);
    io_prep_poll(&poll, ends[0], POLLIN);
    list[0] = &poll;
    for (int i = 0; i < 7; i++) {
        io_prep_pread(&reads[i], fd, buffer + i * 4096, 4096, i * 4096);
        list[i + 1] = &reads[i];
    }
    CHECK_INT(io_submit(context, 8, list), 8);
    CHECK(munmap(context, (ring_of(context)->nr + 1) * 32) == 0);
    CHECK_INT(io_submit(context, 1, list + 1), -EINVAL);
    CHECK_INT(io_cancel(context, &poll, &event), -EINVAL);
    CHECK_INT(io_destroy(context), -EINVAL);
    CHECK_INT(write(ends[1], "x", 1), 1);
    /* The other context is as good as before. */
    for (int i = 0; i < 100; i++) {
        submit_one(other, &reads[0]);
        reap(other, 1, &event);
        CHECK_INT((long)event.res, 4096);
    }
    CHECK_INT(io_destroy(other), 0);
    return 0;
}
