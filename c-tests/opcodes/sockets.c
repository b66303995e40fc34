// face: libaio
/* Sockets: streams and datagrams by PREAD, PWRITE and their vectors; an offset other than 0 is ESPIPE [A13] (net/socket.c
   sock_read_iter). */
#include "iocb.h"
#include <sys/socket.h>

int main(void)
{
    io_context_t context = make_context(8);
    int pair[2], datagrams[2];
    char buffer[256];
    struct iovec vectors[2] = {{buffer, 3}, {buffer + 3, 100}}, out[2] = {{"hello, ", 7}, {"world", 5}};
    struct iocb iocb;

    signal(SIGPIPE, SIG_IGN);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, datagrams) == 0);
    for (int i = 0; i < 100; i++) {
        int *ends = i % 4 < 2 ? pair : datagrams;

        io_prep_pwrite(&iocb, ends[1], "hello, world", 12, 0);
        if (i % 3)
            io_prep_pwritev(&iocb, ends[1], out, 2, 0);
        CHECK_INT(outcome(context, &iocb), 12);
        memset(buffer, 0, sizeof(buffer));
        io_prep_pread(&iocb, ends[0], buffer, sizeof(buffer), 0);
        if (i % 2)
            io_prep_preadv(&iocb, ends[0], vectors, 2, 0);
        CHECK_INT(outcome(context, &iocb), 12);
        CHECK(strcmp(buffer, "hello, world") == 0);
    }
    /* A short datagram buffer loses the rest, as read does. */
    CHECK_INT(send(datagrams[1], "hello, world", 12, 0), 12);
    io_prep_pread(&iocb, datagrams[0], buffer, 5, 0);
    CHECK_INT(outcome(context, &iocb), 5);
    io_prep_pread(&iocb, pair[0], buffer, 16, 1);
    CHECK_INT(outcome(context, &iocb), -ESPIPE);
    io_prep_pwrite(&iocb, pair[0], buffer, 16, 4096);
    CHECK_INT(outcome(context, &iocb), -ESPIPE);
    CHECK(fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0);
    io_prep_pread(&iocb, pair[0], buffer, 16, 0);
    CHECK_INT(outcome(context, &iocb), -EAGAIN);
    close(pair[1]);
    io_prep_pread(&iocb, pair[0], buffer, 16, 0);
    CHECK_INT(outcome(context, &iocb), 0);
    io_prep_pwrite(&iocb, pair[0], buffer, 16, 0);
    CHECK_INT(outcome(context, &iocb), -EPIPE);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
