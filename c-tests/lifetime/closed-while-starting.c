// face: posix
/* A thread opens, locks and closes a file, and makes pipes and closes their ends, over and over, while another thread makes
   the process's first request, for which helper threads are started: a closed file is closed, its lock is free, and a pipe
   whose write end is closed has ended, each time.

   [E1] flock(2): a lock lasts until the last descriptor of its open file is closed; pipe(7). Nobody but the program has
   its files open. (A monitor of the system's that walks the files of all tasks takes hold of each for a moment; so a program
   without any library was seen to find its lock held, once in 67 million times.) */
#define PROCESSES 40
#include "first-request.h"

static char *path;

static void open_and_close(void)
{
    int fd = MUST(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)), ends[2];
    char byte;

    MUST(flock(fd, LOCK_EX | LOCK_NB));
    MUST(close(fd));
    MUST(pipe2(ends, O_NONBLOCK | O_CLOEXEC));
    MUST(close(ends[1]));
    CHECK_INT(read(ends[0], &byte, 1), 0);
    MUST(close(ends[0]));
}

int main(void)
{
    start_deadline();
    path = test_path("locked");
    make_first_requests();
    return 0;
}
