// face: posix
// columns: oracle preload -- FUSE is served by workers in every column
// unsanitized: tsan -- the runtime has a thread of its own, and setns(2) wants one alone
/* What POSIX AIO promised to be durable is there after a failure of the power: aio_fsync with O_SYNC and O_DSYNC behind aio_write
   and lio_listio, whose writes need not have ended; by another descriptor, behind writes that have; writes on O_SYNC and O_DSYNC.
   On a disk with a cache (FUSE, served by workers).

   [B8] POSIX, aio_fsync: "all I/O operations ... queued at the time of the call"; open: O_SYNC, O_DSYNC. */
#include "power-failure-posix.h"

int main(int argc, char **argv)
{
    return power_failures(argc, argv, 0, ways, sizeof ways / sizeof ways[0]);
}
