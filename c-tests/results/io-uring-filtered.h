/* The body of io-uring-filtered-posix.c and io-uring-filtered-libaio.c, which say what it does. */
#include "io-uring-filter.h"

static void run_filtered(unsigned action)
{
    filter_io_uring(action);
    execl("/proc/self/exe", "/proc/self/exe", "filtered", NULL);
    FAIL("/proc/self/exe: %s", strerror(errno));
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc == 1)
        return with_each_filter(run_filtered);
    start_deadline();
    filter_watch();
    filtered_requests();
    STEP("exit");
    exit(0);
}
