// face: libaio
/* When the final status of a write is visible and the program has closed the file, the file is free: it can be executed
   (no ETXTBSY), and its flock is free. With O_APPEND and without.

   [E1] execve(2), ETXTBSY: a file that is open for writing cannot be executed; flock(2); pipe(7). A program that sees
   its request done and closes the file relies on nobody else having it open. */
#include "behaviour.h"
#include "file-free-when-done.h"
#include "iocb.h"

/* Looks at the ring itself: whoever is woken by the library is late. */
static void write_whole(int fd, void *buffer)
{
    static io_context_t context;
    struct io_event event;
    struct iocb iocb;

    if (!context)
        context = make_context(8);
    io_prep_pwrite(&iocb, fd, buffer, SIZE, 0);
    submit_one(context, &iocb);
    while (!ring_take(context, &event))
        ;
    CHECK_INT((long)event.res, SIZE);
}

int main(void)
{
    static const int flags[] = { 0, O_APPEND };

    run(flags, 2);
    return 0;
}
