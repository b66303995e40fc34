/* The body of io-uring-filtered-later-posix.c and io-uring-filtered-later-libaio.c, which say what it does. */
#include "io-uring-filter.h"

static void work(unsigned action)
{
    filter_watch();
    filtered_requests();
    filter_io_uring(action);
    filtered_requests();
}

int main(void)
{
    return with_each_filter(work);
}
