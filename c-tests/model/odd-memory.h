/* Random numbers of a thread's own, and what the programs of odd requests draw from: lengths, offsets, and addresses in
   memory with an end that cannot be touched. */
#ifndef ODD_MEMORY_H
#define ODD_MEMORY_H

#include "behaviour.h"
#include "memory.h"

#define SPAN 16384

static __thread uint64_t random_state;

static inline void set_seed(uint64_t seed)
{
    random_state = seed * 2654435761u + 1;
}

static inline uint32_t draw(uint32_t below)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(((random_state >> 33) * below) >> 31);
}

#define ONE_OF(array) ((array)[draw(sizeof(array) / sizeof *(array))])

enum place { AT_START, UNALIGNED, NEAR_END, AT_END, NOWHERE, CONSTANT, NULL_POINTER, KERNEL_HALF, LAST_PAGE };

static const enum place places[] = { AT_START, AT_START, AT_START, UNALIGNED, UNALIGNED, NEAR_END, AT_END, NOWHERE, CONSTANT,
                                     NULL_POINTER, KERNEL_HALF, LAST_PAGE };
static const uint64_t lengths[] = { 0, 1, 2, 7, 8, 9, 128, 511, 512, 1000, 4096, 4097, 8192, SPAN, SPAN + 1, 100000, INT_MAX,
                                    0x7ffff000, UINT32_MAX, 1ull << 32, INT64_MAX, 1ull << 63, UINT64_MAX };

/* Set before any thread draws. */
static unsigned char *untouchable, *constant;

static inline void make_odd_memory(void)
{
    untouchable = no_access();
    constant = read_only();
}

/* SPAN bytes, and then an end. */
static inline unsigned char *new_span(void)
{
    return before_no_access(SPAN);
}

/* Where in `span`, or elsewhere, a buffer of `length` bytes is. */
static inline void *at(unsigned char *span, enum place place, uint64_t length)
{
    switch (place) {
    case AT_START: return span;
    case UNALIGNED: return span + 13;
    case NEAR_END: return span + SPAN - (length < SPAN ? length / 2 : 100);
    case AT_END: return span + SPAN;
    case NOWHERE: return untouchable;
    case CONSTANT: return constant;
    case KERNEL_HALF: return wild(0xffff800000000000);
    case LAST_PAGE: return wild(0x7fffffffe000);
    default: return NULL;
    }
}

#endif
