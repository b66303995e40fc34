/* What fuse-direct-read.h and fuse-direct-write.h share: a server that takes direct requests one at a time, and one that has
   several in flight. */
#include "fuse-server.h"

#define SEED 5

/* Does `run` with a server of each kind, in a process of its own. What main returns. */
static int run_with_each_server(void (*run)(int async_direct))
{
    for (int async_direct = 0; async_direct < 2; async_direct++) {
        pid_t child = fork_child();
        int status;

        if (child == 0) {
            start_deadline();
            fuse_async_direct = async_direct;
            fuse_start(65536, SEED);
            run(async_direct);
            STEP("exit");
            exit(0);
        }
        status = exit_status(child);
        if (status)
            return status;
    }
    return 0;
}
