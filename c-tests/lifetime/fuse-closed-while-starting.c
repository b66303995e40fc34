// face: posix
/* A thread opens, locks and closes a file of a file server, on which no request is ever made, while another thread makes the
   process's first request, for which helper threads are started: when it is opened again its lock is free.

   [E1] flock(2): a lock lasts until the last descriptor of its open file is closed. */
#define PROCESSES 60
#include "first-request.h"
#include "fuse-server.h"

static void open_and_close(void)
{
    int fd = fuse_open("a", O_RDWR);

    MUST(flock(fd, LOCK_EX | LOCK_NB));
    MUST(close(fd));
}

int main(void)
{
    start_deadline();
    fuse_start(1 << 16, 1);
    make_first_requests();
    return 0;
}
