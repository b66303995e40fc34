// face: libaio
// columns: oracle preload engine threads -- the others have the lanes of these
// unsanitized: tsan -- the runtime has a thread of its own, and setns(2) wants one alone
/* As power-failure-libaio, on ext4, which io_uring and the kernel's AIO serve: a loop device whose file lies on a disk with a cache.
   The failure of the power meets the journal, too, and files that are still growing.

   [A13] io_submit(2): IOCB_CMD_FSYNC, IOCB_CMD_FDSYNC, RWF_SYNC, RWF_DSYNC. */
#include "power-failure-libaio.h"

int main(int argc, char **argv)
{
    return power_failures(argc, argv, 1, ways, sizeof ways / sizeof ways[0]);
}
