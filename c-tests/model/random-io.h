/* Random reads and writes over a file, many in flight, against a model in memory that knows every byte. */
#ifndef RANDOM_IO_H
#define RANDOM_IO_H
#include "iocb.h"

#define RANDOM_DEPTH 32
#define RANDOM_BLOCKS 512

static unsigned random_state;

static unsigned random_below(unsigned n)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (unsigned)((unsigned long long)(random_state >> 4) * n >> 28);
}

/* Blocks of `unit` bytes, each owned by at most one request at a time. `fds` are alternative descriptors of one file. */
static inline void random_io(unsigned seed, const int *fds, int nfds, size_t unit, int total)
{
    unsigned char *model = aligned(RANDOM_BLOCKS * unit), *buffers = aligned(RANDOM_DEPTH * 8 * unit);
    struct {
        struct iocb iocb;
        struct iovec vectors[8];
        unsigned first, blocks;
        int kind; /* 0 idle, 1 read, 2 write, 3 sync */
    } slots[RANDOM_DEPTH];
    static char owned[RANDOM_BLOCKS];
    io_context_t context = make_context(RANDOM_DEPTH);
    int started = 0, ended = 0;

    random_state = seed;
    memset(slots, 0, sizeof(slots));
    memset(owned, 0, sizeof(owned));
    for (size_t i = 0; i < RANDOM_BLOCKS * unit; i++)
        model[i] = (unsigned char)random_below(256);
    CHECK_INT(pwrite(fds[0], model, RANDOM_BLOCKS * unit, 0), RANDOM_BLOCKS * unit);
    while (ended < total) {
        struct io_event events[RANDOM_DEPTH];
        struct iocb *list[RANDOM_DEPTH];
        int batch = 0, n;

        for (int i = 0; i < RANDOM_DEPTH && started < total; i++) {
            unsigned char *buffer = buffers + (size_t)i * 8 * unit;
            int fd = fds[random_below((unsigned)nfds)];
            unsigned free_run = 0;

            if (slots[i].kind || random_below(4) == 0)
                continue;
            slots[i].first = random_below(RANDOM_BLOCKS - 8);
            slots[i].blocks = 1 + random_below(8);
            while (free_run < slots[i].blocks && !owned[slots[i].first + free_run])
                free_run++;
            if (!free_run)
                continue;
            slots[i].blocks = free_run;
            slots[i].kind = random_below(20) ? 1 + (int)random_below(2) : 3;
            if (slots[i].kind == 3) {
                io_prep_fsync(&slots[i].iocb, fd);
                slots[i].iocb.aio_lio_opcode = random_below(2) ? IO_CMD_FSYNC : IO_CMD_FDSYNC;
            } else {
                long long offset = (long long)slots[i].first * (long long)unit;

                memset(owned + slots[i].first, 1, free_run);
                for (unsigned k = 0; k < free_run; k++)
                    slots[i].vectors[k] = (struct iovec){buffer + k * unit, unit};
                if (slots[i].kind == 2) {
                    for (size_t k = 0; k < free_run * unit; k++)
                        buffer[k] = (unsigned char)(random_state >> 8) ^ (unsigned char)(k * 31);
                    random_below(2);
                    memcpy(model + slots[i].first * unit, buffer, free_run * unit);
                } else {
                    memset(buffer, 0, free_run * unit);
                }
                if (random_below(2))
                    io_prep_preadv(&slots[i].iocb, fd, slots[i].vectors, (int)free_run, offset);
                else
                    io_prep_pread(&slots[i].iocb, fd, buffer, free_run * unit, offset);
                if (slots[i].kind == 2)
                    slots[i].iocb.aio_lio_opcode++;
            }
            slots[i].iocb.data = &slots[i];
            list[batch++] = &slots[i].iocb;
            started++;
        }
        if (batch)
            CHECK_INT(io_submit(context, batch, list), batch);
        if (started == ended)
            continue;
        n = 1 + (int)random_below((unsigned)(started - ended));
        if (random_below(3) == 0 && ring_take(context, events))
            n = 1;
        else
            reap(context, n, events);
        for (int i = 0; i < n; i++) {
            long which = (__typeof__(&slots[0]))events[i].data - slots;

            CHECK(which >= 0 && which < RANDOM_DEPTH);
            CHECK(events[i].obj == &slots[which].iocb);
            CHECK_INT((long)events[i].res, slots[which].kind == 3 ? 0 : slots[which].blocks * unit);
            if (slots[which].kind == 1 &&
                memcmp(buffers + (size_t)which * 8 * unit, model + slots[which].first * unit, slots[which].blocks * unit))
                FAIL("seed %u: request at block %u read something else", seed, slots[which].first);
            if (slots[which].kind != 3)
                memset(owned + slots[which].first, 0, slots[which].blocks);
            CHECK(slots[which].kind != 0);
            slots[which].kind = 0;
        }
        ended += n;
    }
    none_left(context);
    CHECK_INT(io_destroy(context), 0);
    unsigned char *back = aligned(RANDOM_BLOCKS * unit);
    CHECK_INT(pread(fds[0], back, RANDOM_BLOCKS * unit, 0), RANDOM_BLOCKS * unit);
    CHECK(memcmp(back, model, RANDOM_BLOCKS * unit) == 0);
    free(back);
    free(buffers);
    free(model);
}
#endif
