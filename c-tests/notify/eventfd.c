/* SIGEV_EVENTFD: each request that ends, whatever its kind, its lane and its end, adds exactly one to the count of its
   eventfd, after its status is final; a list adds one when all have ended [B19]. */
// links: uringaio
#include "list.h"
#include "memory.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>

#define N 64

static int fd, direct, counter;
static struct aiocb cb[N], *list[N];
static char *in;
static struct iovec parts[N][2];

/* Waits until the counter has grown by `count` in all. */
static void counts(int eventfd, unsigned long long count)
{
    unsigned long long seen = 0, now;

    while (seen < count) {
        struct pollfd readable = { eventfd, POLLIN, 0 };

        CHECK_INT(poll(&readable, 1, DEADLINE_SECONDS * 1000), 1);
        CHECK_INT(read(eventfd, &now, sizeof now), 8);
        seen += now;
    }
    CHECK_INT(seen, count);
}

static void no_more(int eventfd)
{
    struct pollfd readable = { eventfd, POLLIN, 0 };

    CHECK_INT(poll(&readable, 1, 0), 0);
}

/* A request of kind `i`; `ends` is how it ends: a count, or -errno. */
static struct aiocb make(int i, int eventfd, long long *ends)
{
    struct aiocb made = make_entry(LIO_READ, fd, in + i * 4096, 4096, i % 16 * 4096);

    *ends = 4096;
    switch (i % 6) {
    case 1:
        made.aio_fildes = direct;
        break;
    case 2:
        parts[i][0] = (struct iovec){ in + i * 4096, 1000 };
        parts[i][1] = (struct iovec){ in + i * 4096 + 1000, 3096 };
        made.aio_lio_opcode = LIO_READV;
        made.aio_iov = parts[i];
        made.aio_iovcnt = 2;
        break;
    case 3:
        made.aio_fildes = -1;
        *ends = -EBADF;
        break;
    case 4:
        made.aio_fildes = direct;
        made.aio_offset += 1;
        *ends = -EINVAL;
        break;
    }
    if (eventfd >= 0)
        uringaio_sigevent_eventfd(&made.aio_sigevent, eventfd);
    return made;
}

static void check_ends(struct aiocb *request, long long ends)
{
    CHECK_INT(aio_error(request), ends < 0 ? -ends : 0);
    CHECK_INT(aio_return(request), ends < 0 ? -1 : ends);
}

static void one_by_one(void)
{
    long long ends[N];

    for (int i = 0; i < N; i++) {
        cb[i] = make(i, counter, &ends[i]);
        CHECK_INT(cb[i].aio_lio_opcode == LIO_READV ? aio_readv(&cb[i]) : aio_read(&cb[i]), 0);
        if (i % 2) {
            counts(counter, 1);
            check_ends(&cb[i], ends[i]);
        } else {
            /* Two at once. */
            struct aiocb sync = make_cb(fd, NULL, 0, 0);

            uringaio_sigevent_eventfd(&sync.aio_sigevent, counter);
            CHECK_INT(aio_fsync(O_DSYNC, &sync), 0);
            counts(counter, 2);
            check_ends(&cb[i], ends[i]);
            check_ends(&sync, 0);
        }
    }
    no_more(counter);
}

/* `each`: the entries count, too, by one of two eventfds. */
static void in_list(int count, int each, int waits)
{
    int of_list = MUST(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), others = MUST(eventfd(0, EFD_CLOEXEC));
    struct sigevent event;
    long long ends[N];
    unsigned long long own = 0;

    uringaio_sigevent_eventfd(&event, of_list);
    for (int i = 0; i < count; i++) {
        cb[i] = make(i, each ? i % 4 ? counter : others : -1, &ends[i]);
        list[i] = &cb[i];
        own += each && i % 4;
        if (i == 5)
            notify_by_signal(&cb[i], SIGRTMIN, 5);
    }
    if (each && count > 5)
        own--;
    if (waits) {
        int fails = 0;

        for (int i = 0; i < count; i++)
            fails |= ends[i] < 0;
        CHECK_INT(lio_listio(LIO_WAIT, list, count, &event), fails ? -1 : 0);
        for (int i = 0; i < count; i++)
            check_ends(&cb[i], ends[i]);
    } else {
        CHECK_INT(lio_listio(LIO_NOWAIT, list, count, &event), 0);
        counts(of_list, 1);
        for (int i = 0; i < count; i++)
            check_ends(&cb[i], ends[i]);
    }
    if (each) {
        counts(counter, own);
        counts(others, (count + 3) / 4);
    }
    no_more(of_list);
    no_more(counter);
    no_more(others);
    close(of_list);
    close(others);
}

int main(void)
{
    static struct aiocb blocked;
    struct aiocb request;
    struct sigevent event;
    int ends[2];
    char byte;

    signal(SIGRTMIN, SIG_IGN);
    fd = pattern_file(O_RDWR, 65536, 0);
    direct = reopen(fd, O_RDWR | O_DIRECT);
    in = aligned(N * 4096);
    counter = MUST(eventfd(0, EFD_CLOEXEC));
    one_by_one();
    for (int count = 0; count <= N; count += count < 8 ? 1 : 28) {
        for (int how = 0; how < 4; how++)
            in_list(count, how & 1, how >> 1);
    }

    /* One that waits, and is cancelled. */
    make_pipe(ends);
    blocked = make_cb(ends[0], &byte, 1, 0);
    uringaio_sigevent_eventfd(&blocked.aio_sigevent, counter);
    CHECK_INT(aio_read(&blocked), 0);
    no_more(counter);
    CHECK_INT(write(ends[1], "x", 1), 1);
    counts(counter, 1);
    check_ends(&blocked, 1);
    CHECK_INT(aio_read(&blocked), 0);
    CHECK_INT(aio_cancel(ends[0], &blocked), AIO_CANCELED);
    counts(counter, 1);
    check_ends(&blocked, -ECANCELED);

    /* What is no eventfd is refused, and nothing begins. */
    request = make_cb(fd, &byte, 1, 0);
    uringaio_sigevent_eventfd(&request.aio_sigevent, fd);
    CHECK_FAILS(aio_read(&request), EINVAL);
    CHECK_INT(aio_error(&request), EINVAL);
    uringaio_sigevent_eventfd(&request.aio_sigevent, 9999);
    CHECK_FAILS(aio_write(&request), EBADF);
    CHECK_FAILS(aio_fsync(O_SYNC, &request), EBADF);
    uringaio_sigevent_eventfd(&event, 9999);
    list[0] = &blocked;
    blocked.aio_lio_opcode = LIO_READ;
    CHECK_FAILS(lio_listio(LIO_NOWAIT, list, 1, &event), EBADF);
    CHECK_INT(aio_error(&blocked), ECANCELED);
    no_more(counter);
    return 0;
}
