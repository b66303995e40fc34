// face: libaio
/* A program that unmaps the ring has no context any more: io_submit and io_destroy say EINVAL, also where the kernel carries it
   because it has had O_DIRECT requests; others go on [A16] (fs/aio.c, lookup_ioctx reads the ring). */
#include "iocb.h"
#include "memory.h"

static size_t bytes_of(io_context_t context)
{
    return whole_pages(sizeof(struct ring) + ring_of(context)->nr * sizeof(struct io_event));
}

int main(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, 4096, 0);
    io_context_t other = make_context(8);
    char *buffer = aligned(4096);

    for (int round = 0; round < 20; round++) {
        io_context_t context = make_context(8 << round % 4);
        struct iocb iocb, *list[] = { &iocb };

        io_prep_pread(&iocb, fd, buffer, 4096, 0);
        if (round % 2)
            CHECK_INT(outcome(context, &iocb), 4096);
        MUST(munmap(context, bytes_of(context)));
        CHECK_INT(io_submit(context, 1, list), -EINVAL);
        CHECK_INT(io_destroy(context), -EINVAL);
        CHECK_INT(outcome(other, &iocb), 4096);
    }
    CHECK_INT(io_destroy(other), 0);
    return 0;
}
