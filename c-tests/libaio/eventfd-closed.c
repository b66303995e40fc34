/* The eventfd is held from io_submit on: its number may be closed, and given to something else, before completion
 * (A3). */
#include "libaio-test.h"

int main(void)
{
    io_context_t context = context_of(8);
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
            EQ(dup2(other[1], efd), efd);
        EQ(write(ends[1], "x", 1), 1);
        /* Blocks until the completion is counted. */
        EQ(read(kept, &count, sizeof(count)), 8);
        EQ(count, 1);
        CHECK(ring_take(context, &event));
        CHECK(event.obj == &poll);
        EQ(read(other[0], &byte, 1), -1);
        close(ends[0]);
        close(ends[1]);
        close(kept);
        close(efd);
    }
    EQ(io_destroy(context), 0);
    return 0;
}
