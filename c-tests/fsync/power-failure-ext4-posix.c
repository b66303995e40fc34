// face: posix
// columns: oracle preload threads -- the others have the lanes of threads
// unsanitized: tsan -- the runtime has a thread of its own, and setns(2) wants one alone
/* As power-failure-posix, on ext4, which io_uring serves: a loop device whose file lies on a disk with a cache. The failure of the
   power meets the journal, too, and files that are still growing.

   [B8] POSIX, aio_fsync: "all I/O operations ... queued at the time of the call"; open: O_SYNC, O_DSYNC. */
#include "power-failure-posix.h"

int main(int argc, char **argv)
{
    return power_failures(argc, argv, 1, ways, sizeof ways / sizeof ways[0]);
}
