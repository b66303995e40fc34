/* Memory for O_DIRECT, and addresses that nothing may be read from or written to. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdint.h>
#include <sys/mman.h>

#include "check.h"

/* Zeroed memory, aligned for O_DIRECT. */
static inline void *aligned(size_t size)
{
    void *memory = NULL;

    if (posix_memalign(&memory, 4096, size) != 0)
        FAIL("out of memory");
    memset(memory, 0, size);
    return memory;
}

/* An address that the compiler draws no conclusions from. */
static inline void *wild(uintptr_t address)
{
    volatile uintptr_t hidden = address;

    return (void *)hidden;
}

/* A page that may be neither read nor written. */
static inline void *no_access(void)
{
    return MUST(mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

/* A page of zeroes that cannot be written. */
static inline void *read_only(void)
{
    return MUST(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

#endif
