/* The body of io-uring-filtered-later-posix.c and io-uring-filtered-later-libaio.c, which say what it does. */
#include "io-uring-filter.h"

int main(void)
{
    start_deadline();
    for (int i = 0; i < FILTER_ACTIONS; i++) {
        pid_t child = fork_child();
        int status;

        if (child == 0) {
            filter_watch();
            filtered_requests();
            filter_io_uring(filter_actions[i].action);
            filtered_requests();
            STEP("exit");
            exit(0);
        }
        STEP(filter_actions[i].name);
        status = await_child(child);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
            return 77;
        if (status)
            FAIL("under a filter with %s: wait status %#x", filter_actions[i].name, status);
    }
    return 0;
}
