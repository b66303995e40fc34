// face: libaio
/* A poll of bytes waits, and the peer sends its last or the program shuts the socket down: the event tells what was asked for and
   nothing else, POLLIN, in contrast to one that bytes have woken [A13] (fs/aio.c, aio_poll_wake and aio_poll_complete_work). */
#include <sys/socket.h>

#include "iocb.h"

int main(void)
{
    static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};
    io_context_t context = make_context(8);

    for (unsigned i = 0; i < sizeof types / sizeof types[0]; i++)
        for (int at_peer = 0; at_peer < (types[i] == SOCK_DGRAM ? 1 : 2); at_peer++) {
            int ends[2];
            struct iocb iocb;
            struct io_event event;

            MUST(socketpair(AF_UNIX, types[i] | SOCK_CLOEXEC, 0, ends));
            io_prep_poll(&iocb, ends[0], POLLIN);
            submit_one(context, &iocb);
            none_left(context);
            MUST(shutdown(ends[at_peer], at_peer ? SHUT_WR : SHUT_RD));
            reap(context, 1, &event);
            CHECK_INT(event.res, POLLIN);
            close(ends[0]);
            close(ends[1]);
        }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
