// face: posix
// columns: oracle threads -- with io_uring it is known not to hold always (docs/limits.md)
/* A process ends with sixteen O_DIRECT writes in flight, by SIGKILL, exit, _exit or exec; once it has been waited for,
   its flock and its OFD lock on the file are free.

   [E2] flock(2), fcntl(2): a lock lasts until the last descriptor of its open file is closed; _exit(2), execve(2),
   wait(2): a process that has been waited for has none. A restarted server must not find its own lock. */
#include "aiocb.h"
#include "behaviour.h"
#include "deaths.h"

#define IN_FLIGHT 16

static void live(int ofd, enum death death, int told)
{
    static struct aiocb cbs[IN_FLIGHT];
    unsigned char *buffer = new_pages(4096);
    int fd = open_and_lock("file", O_RDWR | O_DIRECT, ofd);

    for (int i = 0; i < IN_FLIGHT; i++) {
        cbs[i] = make_cb(fd, buffer, 4096, 4096 * i);
        CHECK_INT(aio_write(&cbs[i]), 0);
    }
    die(death, told);
}

int main(void)
{
    start_deadline();
    return check_locks("file", live);
}
