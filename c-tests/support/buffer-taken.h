/* When io_submit has returned, the memory of an O_DIRECT write has been taken: whatever the program then does with
   those addresses changes nothing. The body of the programs in results/ that begin with "buffer-taken" and say what it
   does. */
#ifndef BUFFER_TAKEN_H
#define BUFFER_TAKEN_H

#include <sys/shm.h>

#include "behaviour.h"
#include "iocb.h"

#define ROUNDS 200
#define IN_FLIGHT 8
#define BLOCK 4096
#define SIZE (IN_FLIGHT * BLOCK)

/* The memory for one round's writes. */
static inline unsigned char *private_memory(void)
{
    return new_pages(SIZE);
}

static inline int run_buffer_taken(unsigned char *(*memory)(void), void (*take_away)(unsigned char *memory))
{
    unsigned char *check = new_pages(SIZE);
    struct iocb iocbs[IN_FLIGHT], *list[IN_FLIGHT];
    struct io_event events[IN_FLIGHT];
    int wrong = 0, failed = 0, fd, told;
    io_context_t context;

    start_deadline();
    context = make_context(IN_FLIGHT);
    told = MUST(eventfd(0, EFD_CLOEXEC));
    fd = scratch_file("file", O_RDWR | O_DIRECT, SIZE, 0);
    for (int round = 1; round <= ROUNDS; round++) {
        unsigned char *buffer = memory();

        fill_pattern(buffer, SIZE, round);
        for (int i = 0; i < IN_FLIGHT; i++) {
            io_prep_pwrite(&iocbs[i], fd, buffer + i * BLOCK, BLOCK, i * BLOCK);
            /* With and without an eventfd: a library may take different ways. */
            if (round % 2)
                io_set_eventfd(&iocbs[i], told);
            list[i] = &iocbs[i];
        }
        CHECK_INT(io_submit(context, IN_FLIGHT, list), IN_FLIGHT);
        take_away(buffer);
        reap(context, IN_FLIGHT, events);
        for (int i = 0; i < IN_FLIGHT; i++)
            failed += (long)events[i].res != BLOCK;
        CHECK_INT(pread(fd, check, SIZE, 0), SIZE);
        for (int i = 0; i < IN_FLIGHT; i++)
            for (int k = 0; k < BLOCK; k++)
                if (check[i * BLOCK + k] != pattern_byte(round, i * BLOCK + k)) {
                    wrong++;
                    break;
                }
    }
    if (wrong || failed)
        FAIL("of %d writes %d failed and %d wrote other bytes", ROUNDS * IN_FLIGHT, failed, wrong);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}

#endif
