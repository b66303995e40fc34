/* A thread that shows a habit: it starts O_DIRECT reads and waits for them at once, over and over, and sleeps nowhere else.
   An implementation may then treat it as one that waits for its own requests; the programs that use this change their ways
   afterwards, which nothing in POSIX forbids. */
#ifndef PROVE_H
#define PROVE_H

#include "aiocb.h"
#include "process.h"

#define BLOCK 4096
#define BLOCKS 64

/* A file of blocks with the pattern 1, opened with O_DIRECT. */
static inline int direct_file(void)
{
    int fd = temp_file(O_DIRECT);
    char *block = aligned_alloc(4096, BLOCKS * BLOCK);

    fill_pattern(block, BLOCKS * BLOCK, 1);
    CHECK_INT(pwrite(fd, block, BLOCKS * BLOCK, 0), BLOCKS * BLOCK);
    free(block);
    return fd;
}

static inline void prove(int direct, int rounds)
{
    char *in = aligned_alloc(4096, BLOCK);

    for (int round = 0; round < rounds; round++) {
        struct aiocb cb = make_cb(direct, in, BLOCK, round % BLOCKS * BLOCK);

        CHECK_INT(aio_read(&cb), 0);
        CHECK_DONE(&cb, BLOCK);
    }
    free(in);
}

/* Requests that are left in flight. */
struct left {
    struct aiocb cb[16];
    char *in;
};

static inline void leave(int direct, struct left *left, int count)
{
    if (!left->in)
        left->in = aligned_alloc(4096, 16 * BLOCK);
    memset(left->in, 0, 16 * BLOCK);
    for (int i = 0; i < count; i++) {
        left->cb[i] = make_cb(direct, left->in + i * BLOCK, BLOCK, i * BLOCK);
        CHECK_INT(aio_read(&left->cb[i]), 0);
    }
}

/* All are over, and right. */
static inline void check_left(struct left *left, int count)
{
    for (int i = 0; i < count; i++)
        CHECK_DONE(&left->cb[i], BLOCK);
    for (int i = 0; i < count * BLOCK; i++)
        if ((unsigned char)left->in[i] != pattern_byte(1, i))
            FAIL("byte %d is wrong", i);
}

#endif
