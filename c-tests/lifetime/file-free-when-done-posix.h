/* How the programs file-free-when-done-*posix write a file. */
#include "aiocb.h"
#include "file-free-when-done.h"

/* Looks at the status itself: whoever is woken by the library is late. */
static void write_whole(int fd, void *buffer)
{
    struct aiocb cb = make_cb(fd, buffer, SIZE, 0);
    int error;

    CHECK_INT(aio_write(&cb), 0);
    while ((error = aio_error(&cb)) == EINPROGRESS)
        ;
    CHECK_INT(error, 0);
    CHECK_INT(aio_return(&cb), SIZE);
}
