/* The body of io-uring-filtered-posix.c and io-uring-filtered-libaio.c, which say what it does. */
#include "io-uring-filter.h"

int main(int argc, char **argv)
{
    start_deadline();
    if (argc > 1) {
        filter_watch();
        filtered_requests();
        STEP("exit");
        exit(0);
    }
    for (int i = 0; i < FILTER_ACTIONS; i++) {
        pid_t child = fork_child();
        int status;

        if (child == 0) {
            filter_io_uring(filter_actions[i].action);
            execl("/proc/self/exe", argv[0], "filtered", NULL);
            FAIL("/proc/self/exe: %s", strerror(errno));
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
