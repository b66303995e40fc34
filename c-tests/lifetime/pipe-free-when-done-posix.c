// face: posix
/* When the final status of a request on a pipe is visible and the program has closed its end, the other end sees it:
   end of file to a reader, EPIPE to a writer.

   [E1] pipe(7). A program that sees its request done and closes the descriptor relies on nobody else having it open. */
#include "aiocb.h"
#include "behaviour.h"

#define ROUNDS 1000

static void spin(struct aiocb *cb)
{
    int error;

    while ((error = aio_error(cb)) == EINPROGRESS)
        ;
    CHECK_INT(error, 0);
    CHECK_INT(aio_return(cb), 1);
}

int main(void)
{
    int readers = 0, writers = 0;
    struct aiocb cb;
    char byte;

    start_deadline();
    signal(SIGPIPE, SIG_IGN);
    for (int round = 0; round < ROUNDS; round++) {
        int ends[2];

        MUST(pipe2(ends, O_CLOEXEC));
        cb = make_cb(ends[1], &byte, 1, 0);
        CHECK_INT(aio_write(&cb), 0);
        spin(&cb);
        MUST(close(ends[1]));
        CHECK_INT(read(ends[0], &byte, 1), 1);
        MUST(fcntl(ends[0], F_SETFL, O_NONBLOCK));
        writers += read(ends[0], &byte, 1) != 0;
        close(ends[0]);

        MUST(pipe2(ends, O_CLOEXEC));
        cb = make_cb(ends[0], &byte, 1, 0);
        CHECK_INT(aio_read(&cb), 0);
        CHECK_INT(write(ends[1], "x", 1), 1);
        spin(&cb);
        MUST(close(ends[0]));
        readers += write(ends[1], "x", 1) != -1 || errno != EPIPE;
        close(ends[1]);
    }
    if (writers || readers)
        FAIL("in %d rounds: no end of file %d times, no EPIPE %d times", ROUNDS, writers, readers);
    return 0;
}
