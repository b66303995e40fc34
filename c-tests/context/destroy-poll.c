// face: libaio
/* io_destroy with a poll in flight cancels it, returns, and lets go of the file [A8]. */
#include "iocb.h"

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    for (int round = 0; round < 20; round++) {
        io_context_t context = make_context(8);
        struct iocb polls[8], *list[8];
        int ends[2], efd = eventfd(0, EFD_NONBLOCK);

        CHECK(pipe(ends) == 0);
        CHECK(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
        for (int i = 0; i < 8; i++) {
            list[i] = &polls[i];
            io_prep_poll(&polls[i], ends[0], POLLIN);
            io_set_eventfd(&polls[i], efd);
        }
        CHECK_INT(io_submit(context, 8, list), 8);
        CHECK(close(ends[0]) == 0);
        /* The requests hold the reading end open. */
        CHECK_INT(write(ends[1], "", 0), 0);
        CHECK_INT(io_destroy(context), 0);
        WAIT_UNTIL(write(ends[1], "x", 1) < 0 && errno == EPIPE);
        close(ends[1]);
        close(efd);
    }
    return 0;
}
