// columns: oracle preload -- the engine is chosen by the test itself
/* The process has no thread to spare when it makes its first request, and has one for the next: one of the first threads
   is refused with EAGAIN. A request is refused with EAGAIN, or it ends and aio_suspend sees its end [C5] [C8]. */
#include <fcntl.h>

#include "aiocb.h"
#include "fault-list.h"
#include "process.h"

#define BLOCK 4096

/* A read that waits, which nothing but a thread can end; then one of a file, so that a second thread is asked for. */
static void wait_for_both(int error)
{
    int ends[2], fd = temp_file(O_RDWR), read_accepted, written_accepted;
    struct aiocb waiting, written;
    char byte = 0, block[BLOCK] = { 0 };

    (void)error;
    make_pipe(ends);
    waiting = make_cb(ends[0], &byte, 1, 0);
    read_accepted = aio_read(&waiting);
    if (read_accepted == -1)
        CHECK_INT(errno, EAGAIN);
    written = make_cb(fd, block, BLOCK, 0);
    written_accepted = aio_write(&written);
    if (written_accepted == -1)
        CHECK_INT(errno, EAGAIN);
    /* The original may have one thread for both. */
    CHECK_INT(write(ends[1], "x", 1), 1);
    if (written_accepted == 0)
        CHECK_DONE(&written, BLOCK);
    if (read_accepted == 0) {
        CHECK_DONE(&waiting, 1);
        CHECK_INT(byte, 'x');
    }
}

int main(int argc, char **argv)
{
    const struct fault refused = ANYWHERE(clone3, EAGAIN);

    if (argc == 1) {
        setenv("URINGAIO_ENGINE", "threads", 1);
        execl("/proc/self/exe", argv[0], "prepared", NULL);
        FAIL("exec: %s", strerror(errno));
    }
    for (int nth = 1; nth <= 4; nth++)
        with_fault(&refused, EAGAIN, nth, wait_for_both);
    return 0;
}
