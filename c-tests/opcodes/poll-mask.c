// face: libaio
/* What a poll that had to wait reports: on a pipe POLLRDNORM comes with POLLIN, and POLLWRNORM with POLLOUT, as the wake-up
   says; an eventfd gives POLLIN alone, and so do an inotify and an epoll descriptor, whose wake-up says nothing. What is true
   at once, or the end of file, is reported as it was asked for [A13] (fs/aio.c aio_poll). */
#include "iocb.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/socket.h>

static io_context_t context;
static struct iocb poll_iocb;

static void begin(int fd, int events)
{
    io_prep_poll(&poll_iocb, fd, events);
    submit_one(context, &poll_iocb);
    none_left(context);
}

static void told(long want)
{
    struct io_event event;

    reap(context, 1, &event);
    CHECK(event.obj == &poll_iocb);
    CHECK_INT((long)event.res, want);
    CHECK_INT(event.res2, 0);
}

int main(void)
{
    static char bytes[4096];
    int ends[2], pair[2], count = eventfd(0, 0);
    const uint64_t one = 1;

    context = make_context(8);
    CHECK(pipe(ends) == 0 && count >= 0);
    CHECK(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 && fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);

    begin(ends[0], POLLIN);
    CHECK_INT(write(ends[1], "x", 1), 1);
    told(POLLIN | POLLRDNORM);
    io_prep_poll(&poll_iocb, ends[0], POLLIN);
    CHECK_INT(outcome(context, &poll_iocb), POLLIN);
    CHECK_INT(read(ends[0], bytes, 1), 1);

    begin(ends[0], POLLRDNORM);
    CHECK_INT(write(ends[1], "x", 1), 1);
    told(POLLIN | POLLRDNORM);

    while (write(ends[1], bytes, sizeof bytes) > 0)
        ;
    begin(ends[1], POLLOUT);
    while (read(ends[0], bytes, sizeof bytes) > 0)
        ;
    told(POLLOUT | POLLWRNORM);

    begin(ends[0], POLLIN);
    close(ends[1]);
    told(POLLHUP);

    begin(count, POLLIN);
    CHECK_INT(write(count, &one, sizeof one), (long)sizeof one);
    told(POLLIN);

    {
        struct epoll_event wanted = { .events = EPOLLIN };
        int notify = MUST(inotify_init1(IN_NONBLOCK)), all = MUST(epoll_create1(0));

        MUST(inotify_add_watch(notify, ".", IN_CREATE));
        begin(notify, POLLIN);
        close(MUST(open("created", O_CREAT | O_RDWR, 0600)));
        told(POLLIN);
        while (read(notify, bytes, sizeof bytes) > 0)
            ;
        MUST(epoll_ctl(all, EPOLL_CTL_ADD, notify, &wanted));
        begin(all, POLLIN);
        MUST(unlink("created"));
        close(MUST(open("created", O_CREAT | O_RDWR, 0600)));
        told(POLLIN);
        MUST(unlink("created"));
    }

    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    begin(pair[0], POLLIN);
    close(pair[1]);
    told(POLLIN | POLLHUP);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
