// face: posix
// columns: oracle preload threads -- it takes long
/* When the final status of an aio_fsync is visible and the program has closed the file, the file is free: it can be executed
   (no ETXTBSY), and its flock is free. Behind a write that is under way, and alone.

   [E1] execve(2), ETXTBSY: a file that is open for writing cannot be executed; flock(2). A program that sees its request
   done and closes the file relies on nobody else having it open. */
#define ROUNDS 400
#include "aiocb.h"
#include "file-free-when-done.h"

static int alone;

/* Looks at the status itself: whoever is woken by the library is late. */
static void write_whole(int fd, void *buffer)
{
    struct aiocb cb = make_cb(fd, buffer, SIZE, 0), sync = make_cb(fd, NULL, 0, 0);
    int error;

    if (alone)
        CHECK_INT(pwrite(fd, buffer, SIZE, 0), SIZE);
    else
        CHECK_INT(aio_write(&cb), 0);
    CHECK_INT(aio_fsync(O_SYNC, &sync), 0);
    while ((error = aio_error(&sync)) == EINPROGRESS)
        ;
    CHECK_INT(error, 0);
    CHECK_INT(aio_return(&sync), 0);
    if (!alone)
        CHECK_DONE(&cb, SIZE);
}

int main(void)
{
    static const int flags[] = { 0 };

    for (alone = 0; alone < 2; alone++)
        run(flags, 1);
    return 0;
}
