// face: libaio
/* POLL is one-shot: one event with the mask of what is true, POLLERR and POLLHUP unasked, nothing on later changes
   [A13] (fs/aio.c aio_poll). */
#include "iocb.h"
#include <sys/socket.h>

int main(void)
{
    io_context_t context = make_context(8);
    struct io_event event;
    struct iocb poll;
    int ends[2], pair[2];
    char byte;

    CHECK(pipe(ends) == 0);
    for (int i = 0; i < 50; i++) {
        io_prep_poll(&poll, ends[0], POLLIN);
        submit_one(context, &poll);
        none_left(context);
        CHECK_INT(write(ends[1], "x", 1), 1);
        reap(context, 1, &event);
        /* What wakes it is told as it is, so POLLRDNORM may be there unasked. */
        CHECK_INT((long)event.res & ~(long)POLLRDNORM, POLLIN);
        CHECK_INT(event.res2, 0);
        CHECK_INT(read(ends[0], &byte, 1), 1);
        CHECK_INT(write(ends[1], "x", 1), 1);
        none_left(context);
        CHECK_INT(read(ends[0], &byte, 1), 1);
    }
    /* True already: at once, and only what was asked for. */
    io_prep_poll(&poll, ends[1], POLLIN | POLLOUT);
    CHECK_INT(outcome(context, &poll), POLLOUT);
    io_prep_poll(&poll, ends[1], POLLOUT | POLLWRNORM);
    CHECK_INT(outcome(context, &poll), POLLOUT | POLLWRNORM);

    io_prep_poll(&poll, ends[0], 0);
    submit_one(context, &poll);
    none_left(context);
    close(ends[1]);
    reap(context, 1, &event);
    CHECK_INT((long)event.res, POLLHUP);

    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    io_prep_poll(&poll, pair[0], POLLIN | POLLRDHUP);
    submit_one(context, &poll);
    CHECK(shutdown(pair[1], SHUT_WR) == 0);
    reap(context, 1, &event);
    CHECK_INT((long)event.res & ~(long)POLLRDNORM, POLLIN | POLLRDHUP);
    close(pair[1]);
    io_prep_poll(&poll, pair[0], POLLIN);
    CHECK_INT(outcome(context, &poll), POLLIN | POLLHUP);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
