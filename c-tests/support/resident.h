/* How much memory of this process is resident, and that it no longer grows. */
#ifndef RESIDENT_H
#define RESIDENT_H

#include "check.h"

/* What may come without growing: tables that are touched for the first time, stacks of helper threads. A request that leaves
   8 bytes behind shows after twenty thousand. */
#define SLACK_KB 128

/* Resident memory that is no file's: pages of code come in whenever they are first run. The counters of statm are known to
   within some pages for each processor; smaps_rollup walks the page tables. */
static inline long resident_kb(void)
{
    FILE *file = fopen("/proc/self/smaps_rollup", "re");
    char line[256];
    long kb = -1;

    CHECK(file != NULL);
    while (kb < 0 && fgets(line, sizeof line, file))
        if (sscanf(line, "Anonymous: %ld kB", &kb) != 1)
            kb = -1;
    fclose(file);
    CHECK(kb > 0);
    return kb;
}

/* Calls `round(i)` for every i below `count`. The memory after a tenth of them is all that they ever need. */
static inline void check_memory_is_flat(const char *what, long count, void (*round)(long))
{
    long early = 0, late;

    for (long i = 0; i < count; i++) {
        if (i == count / 10)
            early = resident_kb();
        round(i);
    }
    late = resident_kb();
    fprintf(stderr, "%s: %ld KiB after %ld, %ld KiB after %ld\n", what, early, count / 10, late, count);
    if (late > early + SLACK_KB)
        FAIL("%s: memory grew by %ld KiB", what, late - early);
}

#endif
