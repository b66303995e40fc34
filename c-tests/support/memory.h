/* Memory for O_DIRECT, and addresses that nothing may be read from or written to. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

static inline size_t page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

/* `size`, rounded up to whole pages. */
static inline size_t whole_pages(size_t size) { return (size + page_size() - 1) / page_size() * page_size(); }

/* Zeroed memory, aligned for O_DIRECT. */
static inline void *aligned(size_t size)
{
    void *memory = NULL;

    if (posix_memalign(&memory, 4096, size) != 0)
        FAIL("out of memory");
    memset(memory, 0, size);
    return memory;
}

/* `size` bytes that can be used, and behind them what may be neither read nor written. */
static inline void *before_no_access(size_t size)
{
    size_t page = page_size(), whole = whole_pages(size);
    char *memory = MUST(mmap(NULL, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

    MUST(mprotect(memory + whole, page, PROT_NONE));
    return memory + whole - size;
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
