/* epoll FILE SECONDS DEPTH: 4 KiB O_DIRECT random reads by libaio in an event loop, as nginx does it: an eventfd counts what
 * has ended, epoll waits for it, io_getevents with a timeout of zero takes the events, each read goes out in a call of its
 * own. */
#include <libaio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "measure.h"

enum { BLOCK = 4096, MOST = 1024, EVENTS = 64 };

static struct iocb iocbs[MOST];
static uint64_t sent_at[MOST], blocks, seed = 88172645463325252ull;
static io_context_t context;

static void submit(struct iocb *iocb)
{
    int taken;

    iocb->u.c.offset = next_random(&seed) % blocks * BLOCK;
    sent_at[iocb - iocbs] = nanoseconds();
    taken = io_submit(context, 1, &iocb);
    if (taken != 1)
        die("io_submit", taken < 0 ? -taken : EAGAIN);
}

int main(int argc, char **argv)
{
    struct epoll_event wanted = { .events = EPOLLIN }, got;
    struct histogram latency = { .total = 0 };
    struct timespec at_once = { 0, 0 };
    struct io_event events[EVENTS];
    uint64_t started, ends_at, operations = 0;
    int depth, in_flight, fd, counter, epoll, error;
    void *buffer = aligned_buffer(BLOCK); /* all reads go there: nothing looks at what they read */
    double cpu_started;

    if (argc != 4 || (depth = atoi(argv[3])) < 1 || depth > MOST)
        return 2;
    fd = open_direct(argv[1], O_RDONLY, BLOCK, &blocks);
    counter = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (counter < 0 || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, counter, &wanted) != 0)
        die("epoll", errno);
    error = io_setup(depth, &context);
    if (error)
        die("io_setup", -error);
    started = nanoseconds();
    cpu_started = cpu_seconds();
    ends_at = started + atof(argv[2]) * 1e9;
    for (in_flight = 0; in_flight < depth; in_flight++) {
        io_prep_pread(&iocbs[in_flight], fd, buffer, BLOCK, 0);
        io_set_eventfd(&iocbs[in_flight], counter);
        submit(&iocbs[in_flight]);
    }
    while (in_flight > 0) {
        uint64_t ended = 0, taken = 0;

        if (epoll_wait(epoll, &got, 1, -1) < 0 && errno != EINTR)
            die("epoll_wait", errno);
        if (read(counter, &ended, sizeof ended) != sizeof ended && errno != EAGAIN)
            die("eventfd", errno);
        while (taken < ended) {
            int count = io_getevents(context, 1, EVENTS, events, &at_once);
            uint64_t now = nanoseconds();

            if (count < 0)
                die("io_getevents", -count);
            if (count == 0) /* an earlier call has taken more events than the eventfd had counted by then */
                break;
            taken += count;
            for (int i = 0; i < count; i++) {
                if (events[i].res != BLOCK)
                    die("a read ended badly", EIO);
                histogram_add(&latency, now - sent_at[events[i].obj - iocbs]);
                operations++;
                if (now < ends_at)
                    submit(events[i].obj);
                else
                    in_flight--;
            }
        }
    }
    report(operations, started, cpu_started, &latency);
    io_destroy(context);
    return 0;
}
