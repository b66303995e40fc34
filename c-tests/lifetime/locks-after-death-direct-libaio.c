// face: libaio
// columns: oracle preload drop-in -- elsewhere it is known not to hold always (docs/limits.md)
/* A process ends with sixteen O_DIRECT writes in flight, by SIGKILL, exit, _exit or exec; once it has been waited for,
   its flock and its OFD lock on the file are free.

   [E2] flock(2), fcntl(2): a lock lasts until the last descriptor of its open file is closed; _exit(2), execve(2),
   wait(2): a process that has been waited for has none. A restarted server must not find its own lock. */
#include "behaviour.h"
#include "deaths.h"
#include "iocb.h"

#define IN_FLIGHT 16

static void live(int ofd, enum death death, int told)
{
    static struct iocb iocbs[IN_FLIGHT], *list[IN_FLIGHT];
    unsigned char *buffer = new_pages(4096);
    io_context_t context = make_context(IN_FLIGHT);
    int fd = open_and_lock("file", O_RDWR | O_DIRECT, ofd);

    for (int i = 0; i < IN_FLIGHT; i++) {
        io_prep_pwrite(&iocbs[i], fd, buffer, 4096, 4096 * i);
        list[i] = &iocbs[i];
    }
    CHECK_INT(io_submit(context, IN_FLIGHT, list), IN_FLIGHT);
    die(death, told);
}

int main(void)
{
    start_deadline();
    return check_locks("file", live);
}
