// face: libaio
/* When io_submit returns, iocb, iovec array and list have been taken: the program may reuse all three while the I/O is
   still in flight [A5] (QEMU keeps them on the stack). */
#include "iocb.h"

#define SEGMENTS 32

int main(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, 4 << 20, 0);
    io_context_t context = make_context(64);
    char *buffer = aligned(8 * SEGMENTS * 4096);
    struct iocb *iocbs = malloc(8 * sizeof(*iocbs));
    struct iovec(*vectors)[SEGMENTS] = malloc(8 * sizeof(*vectors));
    struct io_event events[8];

    CHECK(iocbs && vectors);
    for (int round = 0; round < 50; round++) {
        struct iocb *list[8];
        unsigned seen = 0;

        memset(buffer, 0, 8 * SEGMENTS * 4096);
        for (int i = 0; i < 8; i++) {
            for (int k = 0; k < SEGMENTS; k++)
                vectors[i][k] = (struct iovec){buffer + (i * SEGMENTS + k) * 4096, 4096};
            list[i] = &iocbs[i];
            io_prep_preadv(&iocbs[i], fd, vectors[i], SEGMENTS, (long long)i * SEGMENTS * 4096);
            iocbs[i].data = (void *)(uintptr_t)(1000 * round + i);
        }
        CHECK_INT(io_submit(context, 8, list), 8);
        memset(list, 0xff, sizeof(list));
        memset(vectors, 0xff, 8 * sizeof(*vectors));
        memset(iocbs, 0xff, 8 * sizeof(*iocbs));
        reap(context, 8, events);
        for (int i = 0; i < 8; i++) {
            long which = events[i].obj - iocbs;

            CHECK(which >= 0 && which < 8);
            CHECK_INT((uintptr_t)events[i].data, 1000 * round + which);
            CHECK_INT((long)events[i].res, SEGMENTS * 4096);
            seen |= 1u << which;
        }
        CHECK_INT(seen, 255);
        check_pattern_at(buffer, 8 * SEGMENTS * 4096, 0, 0);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
