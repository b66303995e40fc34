/* O_DIRECT reads, for both faces: some that are waited for at once, some that are left in flight. Include aiocb.h or iocb.h
   first. */
#ifndef DIRECT_H
#define DIRECT_H

#include "files.h"
#include "memory.h"

#define BLOCK 4096
#define BLOCKS 64
/* The most that are in flight at a time. */
#define MOST 16

/* A file of BLOCKS blocks with the pattern 0, opened with O_DIRECT. */
static inline int direct_file(void)
{
    return pattern_file(O_RDWR | O_DIRECT, BLOCKS * BLOCK, 0);
}

#ifdef IOCB_H

/* Rounds of submitting `depth` reads and taking their events. */
static inline void read_blocks(io_context_t context, int direct, int rounds, int depth)
{
    struct iocb iocbs[MOST], *list[MOST];
    struct io_event events[MOST];
    char *buffer = aligned((size_t)depth * BLOCK);

    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < depth; i++) {
            list[i] = &iocbs[i];
            io_prep_pread(&iocbs[i], direct, buffer + i * BLOCK, BLOCK, (round + i) % BLOCKS * BLOCK);
        }
        CHECK_INT(io_submit(context, depth, list), depth);
        reap(context, depth, events);
        for (int i = 0; i < depth; i++)
            CHECK_INT((long)events[i].res, BLOCK);
    }
    free(buffer);
}

/* Reads of the first blocks that are left in flight. */
struct reads {
    struct iocb iocbs[MOST];
    char *buffer;
};

static inline void start_reads(io_context_t context, int direct, struct reads *reads, int count)
{
    struct iocb *list[MOST];

    if (!reads->buffer)
        reads->buffer = aligned(MOST * BLOCK);
    for (int i = 0; i < count; i++) {
        list[i] = &reads->iocbs[i];
        io_prep_pread(&reads->iocbs[i], direct, reads->buffer + i * BLOCK, BLOCK, (long long)i * BLOCK);
    }
    CHECK_INT(io_submit(context, count, list), count);
}

/* `events` are those of the reads, each once, and the bytes are right. */
static inline void check_reads(const struct reads *reads, const struct io_event *events, int count)
{
    unsigned seen = 0;

    for (int i = 0; i < count; i++) {
        long which = events[i].obj - reads->iocbs;

        CHECK(which >= 0 && which < MOST && !(seen >> which & 1));
        seen |= 1u << which;
        CHECK_INT((long)events[i].res, BLOCK);
        check_pattern_at(reads->buffer + which * BLOCK, BLOCK, 0, which * BLOCK);
    }
}

#else

#include "aiocb.h"
#include "process.h"

/* Rounds of one read and waiting for it. */
static inline void read_blocks(int direct, int rounds)
{
    char *in = aligned(BLOCK);

    for (int round = 0; round < rounds; round++) {
        struct aiocb cb = make_cb(direct, in, BLOCK, round % BLOCKS * BLOCK);

        CHECK_INT(aio_read(&cb), 0);
        CHECK_DONE(&cb, BLOCK);
    }
    free(in);
}

/* Reads of the first blocks that are left in flight. */
struct reads {
    struct aiocb cb[MOST];
    char *in;
};

static inline void start_reads(int direct, struct reads *reads, int count)
{
    if (!reads->in)
        reads->in = aligned(MOST * BLOCK);
    memset(reads->in, 0, MOST * BLOCK);
    for (int i = 0; i < count; i++) {
        reads->cb[i] = make_cb(direct, reads->in + i * BLOCK, BLOCK, i * BLOCK);
        CHECK_INT(aio_read(&reads->cb[i]), 0);
    }
}

/* Waits for the reads; the bytes are right. */
static inline void check_reads(struct reads *reads, int count)
{
    for (int i = 0; i < count; i++)
        CHECK_DONE(&reads->cb[i], BLOCK);
    check_pattern_at(reads->in, (size_t)count * BLOCK, 0, 0);
}

#endif
#endif
