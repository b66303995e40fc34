// face: posix
/* An aio_fsync behind writes that are under way: when it is done and the program has closed the file, the file is free, its
   flock and for execve(2). While another request is under way, and a read of an empty pipe never ends.

   [E1] flock(2); execve(2), ETXTBSY. [E3] What waits without end keeps no other file: before Linux 6.13 a request on a file of
   io_uring's table keeps what is taken out of that table later. */
#define ROUNDS 200
#include "aiocb.h"
#include "file-free-when-done.h"

#define WRITES 4

static int elsewhere;

/* While the aio_fsync waits for its turn, io_uring's table holds the file. */
static void write_whole(int fd, void *buffer)
{
    static unsigned char *other;
    struct aiocb cbs[WRITES], beside, sync = make_cb(fd, NULL, 0, 0);
    int error;

    other = other ? other : new_pages(SIZE);
    /* Something is under way throughout, so that the library's thread sleeps in its ring. */
    beside = make_cb(elsewhere, other, SIZE, 0);
    CHECK_INT(aio_read(&beside), 0);
    for (int i = 0; i < WRITES; i++) {
        cbs[i] = make_cb(fd, buffer, SIZE, 0);
        CHECK_INT(aio_write(&cbs[i]), 0);
    }
    CHECK_INT(aio_fsync(O_SYNC, &sync), 0);
    while ((error = aio_error(&sync)) == EINPROGRESS)
        ;
    CHECK_INT(error, 0);
    for (int i = 0; i < WRITES; i++)
        CHECK_DONE(&cbs[i], SIZE);
    CHECK_DONE(&beside, SIZE);
}

int main(void)
{
    static const int flags[] = { 0, O_DIRECT };
    int ends[2];
    char byte;
    struct aiocb never;

    make_pipe(ends);
    never = make_cb(ends[0], &byte, 1, 0);
    CHECK_INT(aio_read(&never), 0);
    elsewhere = scratch_file("elsewhere", O_RDWR | O_DIRECT, SIZE, 1);
    run(flags, 2);
    CHECK_PENDING(&never);
    return 0;
}
