// face: libaio
/* A socket whose peer has sent its last byte: a poll that did not ask for POLLRDHUP goes on waiting for what it did ask
   for, and does not report POLLRDHUP [A13] (fs/aio.c aio_poll: what was asked for, POLLERR and POLLHUP). */
#include "iocb.h"
#include <sys/socket.h>

static io_context_t context;

static void make_pair(int pair[2])
{
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    CHECK(fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0);
    CHECK(fcntl(pair[1], F_SETFL, O_NONBLOCK) == 0);
}

static void fill_nonblocking(int fd)
{
    static char bytes[4096];

    while (write(fd, bytes, sizeof bytes) > 0)
        ;
}

static void drain(int fd)
{
    static char bytes[65536];

    while (read(fd, bytes, sizeof bytes) > 0)
        ;
}

/* Nothing comes for a while. */
static void goes_on(void)
{
    struct timespec while_ = {0, 30000000};
    struct io_event event;

    CHECK_INT(io_getevents(context, 1, 1, &event, &while_), 0);
}

/* What the event of the only poll says. POLLWRNORM and the like may be there unasked. */
static long told(void)
{
    struct io_event event;

    reap(context, 1, &event);
    return (long)event.res & (POLLIN | POLLPRI | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
}

static void begin(struct iocb *poll, int fd, int events)
{
    io_prep_poll(poll, fd, events);
    submit_one(context, poll);
}

int main(void)
{
    struct iocb poll, other;
    struct io_event event;
    int pair[2];

    context = make_context(8);
    for (int before = 0; before < 2; before++) {
        /* Half closed while the poll waits, and before it. */
        make_pair(pair);
        fill_nonblocking(pair[0]);
        if (before)
            CHECK(shutdown(pair[1], SHUT_WR) == 0);
        begin(&poll, pair[0], POLLOUT);
        goes_on();
        if (!before)
            CHECK(shutdown(pair[1], SHUT_WR) == 0);
        goes_on();
        drain(pair[1]);
        CHECK_INT(told(), POLLOUT);
        goes_on();
        /* The same file again, and the end. */
        begin(&poll, pair[0], POLLPRI);
        goes_on();
        close(pair[1]);
        CHECK_INT(told(), POLLHUP);
        close(pair[0]);
    }

    /* With data: exactly what was asked for. */
    make_pair(pair);
    begin(&poll, pair[0], POLLIN);
    close(pair[1]);
    CHECK_INT(told(), POLLIN | POLLHUP);
    close(pair[0]);

    /* Asked for, it is told. */
    make_pair(pair);
    begin(&poll, pair[0], POLLRDHUP);
    goes_on();
    CHECK(shutdown(pair[1], SHUT_WR) == 0);
    CHECK_INT(told(), POLLRDHUP);

    /* Two on one file, of which one is cancelled. */
    fill_nonblocking(pair[0]);
    begin(&poll, pair[0], POLLOUT);
    begin(&other, pair[0], POLLPRI);
    goes_on();
    CHECK_INT(io_cancel(context, &other, &event), -EINPROGRESS);
    reap(context, 1, &event);
    CHECK(event.obj == &other);
    goes_on();
    drain(pair[1]);
    CHECK_INT(told(), POLLOUT);

    /* Each write by the peer wakes it, and does not end it. */
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    CHECK(shutdown(pair[0], SHUT_WR) == 0);
    begin(&poll, pair[1], POLLPRI);
    for (int i = 0; i < 20; i++)
        CHECK_INT(write(pair[1], "x", 1), 1);
    goes_on();

    /* The context is destroyed with it. */
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
