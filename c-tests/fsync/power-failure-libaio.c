// face: libaio
// columns: oracle preload engine drop-in -- FUSE is served by workers in every column, or by the kernel
// unsanitized: tsan -- the runtime has a thread of its own, and setns(2) wants one alone
/* What libaio promised to be durable is there after a failure of the power: IOCB_CMD_FSYNC and IOCB_CMD_FDSYNC behind writes that
   have ended, by the same descriptor or another; writes with RWF_SYNC and RWF_DSYNC; writes on O_DSYNC. On a disk with a cache
   (FUSE, served by workers, or by the kernel's AIO).

   [A13] io_submit(2): IOCB_CMD_FSYNC, IOCB_CMD_FDSYNC, RWF_SYNC, RWF_DSYNC. */
#include "power-failure-libaio.h"

int main(int argc, char **argv)
{
    return power_failures(argc, argv, 0, ways, sizeof ways / sizeof ways[0]);
}
