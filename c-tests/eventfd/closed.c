// face: libaio
/* The eventfd is held from io_submit on: its number may be closed, and given to something else, before completion
   [A3]. */
#include "iocb.h"

int main(void)
{
    io_context_t context = make_context(8);
    int ends[2], other[2], efd, kept;
    unsigned long long count = 0;
    struct io_event event;
    struct iocb poll;
    char byte;

    CHECK(pipe(other) == 0);
    CHECK(fcntl(other[0], F_SETFL, O_NONBLOCK) == 0);
    for (int round = 0; round < 50; round++) {
        CHECK(pipe(ends) == 0);
        efd = eventfd(0, 0);
        kept = dup(efd);
        CHECK(efd >= 0 && kept >= 0);
        io_prep_poll(&poll, ends[0], POLLIN);
        io_set_eventfd(&poll, efd);
        submit_one(context, &poll);
        CHECK(close(efd) == 0);
        if (round % 2)
            CHECK_INT(dup2(other[1], efd), efd);
        CHECK_INT(write(ends[1], "x", 1), 1);
        /* Blocks until the completion is counted. */
        CHECK_INT(read(kept, &count, sizeof(count)), 8);
        CHECK_INT(count, 1);
        CHECK(ring_take(context, &event));
        CHECK(event.obj == &poll);
        CHECK_INT(read(other[0], &byte, 1), -1);
        close(ends[0]);
        close(ends[1]);
        close(kept);
        close(efd);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
