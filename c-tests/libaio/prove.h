/* A thread that shows a habit: it submits O_DIRECT reads and reaps them at once, over and over, and sleeps nowhere else. An
 * implementation may then treat it as one that waits for its own requests; the programs that use this change their ways
 * afterwards, which nothing in io_submit(2) or io_getevents(2) forbids. */
#ifndef PROVE_H
#define PROVE_H
#include "libaio-test.h"

#define BLOCK 4096
#define BLOCKS 64

/* Rounds of submit and reap, `depth` (at most 16) requests each. */
UNUSED static void prove(io_context_t context, int direct, int rounds, int depth)
{
    struct iocb iocbs[16], *list[16];
    struct io_event events[16];
    char *buffer = aligned((size_t)depth * BLOCK);

    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < depth; i++) {
            list[i] = &iocbs[i];
            io_prep_pread(&iocbs[i], direct, buffer + i * BLOCK, BLOCK, (round + i) % BLOCKS * BLOCK);
        }
        EQ(io_submit(context, depth, list), depth);
        reap(context, depth, events);
        for (int i = 0; i < depth; i++)
            EQ((long)events[i].res, BLOCK);
    }
    free(buffer);
}

/* Requests that are left in flight. */
struct left {
    struct iocb iocbs[16];
    char *buffer;
};

UNUSED static void leave(io_context_t context, int direct, struct left *left, int count)
{
    struct iocb *list[16];

    if (!left->buffer)
        left->buffer = aligned(16 * BLOCK);
    for (int i = 0; i < count; i++) {
        list[i] = &left->iocbs[i];
        io_prep_pread(&left->iocbs[i], direct, left->buffer + i * BLOCK, BLOCK, (long long)i * BLOCK);
    }
    EQ(io_submit(context, count, list), count);
}

UNUSED static void check_left(const struct left *left, const struct io_event *events, int count)
{
    unsigned seen = 0;

    for (int i = 0; i < count; i++) {
        long which = events[i].obj - left->iocbs;

        CHECK(which >= 0 && which < 16 && !(seen >> which & 1));
        seen |= 1u << which;
        EQ((long)events[i].res, BLOCK);
        check_bytes(left->buffer + which * BLOCK, BLOCK, which * BLOCK);
    }
}

UNUSED static int direct_file(void)
{
    return scratch(O_RDWR | O_DIRECT, BLOCKS * BLOCK);
}

#endif
