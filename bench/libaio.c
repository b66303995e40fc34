/* libaio FILE SECONDS DEPTH BATCH THREADS: 4 KiB O_DIRECT random reads by libaio, DEPTH in flight for each thread, each
 * thread on a context of its own; up to BATCH requests are reaped by one call and sent again by the next. */
#include <libaio.h>
#include <pthread.h>

#include "measure.h"

enum { BLOCK = 4096, MOST = 16384 };

struct worker {
    pthread_t thread;
    uint64_t seed, operations;
    struct histogram latency;
};

static uint64_t blocks, ends_at;
static int fd, depth, batch;

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct iocb *iocbs = calloc(depth, sizeof *iocbs), **list = calloc(depth, sizeof *list);
    struct io_event *events = calloc(batch, sizeof *events);
    uint64_t *sent_at = calloc(depth, sizeof *sent_at);
    void *buffer = aligned_buffer(BLOCK);
    io_context_t context = 0;
    int in_flight = 0, ready = 0, error = io_setup(depth, &context);

    if (error)
        die("io_setup", -error);
    for (int i = 0; i < depth; i++)
        io_prep_pread(&iocbs[i], fd, buffer, BLOCK, 0); /* what is read is not looked at */
    while (in_flight > 0 || nanoseconds() < ends_at) {
        uint64_t now = nanoseconds();
        int wanted = 0;

        if (now < ends_at) {
            if (in_flight + ready < depth) { /* the first round, BATCH by BATCH */
                for (; wanted < batch && in_flight + wanted < depth; wanted++)
                    list[wanted] = &iocbs[in_flight + wanted];
            } else {
                for (; wanted < ready; wanted++)
                    list[wanted] = events[wanted].obj;
            }
        }
        for (int i = 0; i < wanted; i++) {
            list[i]->u.c.offset = next_random(&worker->seed) % blocks * BLOCK;
            sent_at[list[i] - iocbs] = now;
        }
        for (int sent = 0; sent < wanted;) {
            int taken = io_submit(context, wanted - sent, list + sent);

            if (taken <= 0)
                die("io_submit", taken < 0 ? -taken : EAGAIN);
            sent += taken;
            in_flight += taken;
        }
        ready = 0;
        if (in_flight < depth && now < ends_at)
            continue;
        ready = io_getevents(context, 1, batch, events, NULL);
        if (ready == -EINTR)
            ready = 0;
        if (ready < 0)
            die("io_getevents", -ready);
        now = nanoseconds();
        for (int i = 0; i < ready; i++) {
            if (events[i].res != BLOCK)
                die("a read ended badly", EIO);
            histogram_add(&worker->latency, now - sent_at[events[i].obj - iocbs]);
            worker->operations++;
        }
        in_flight -= ready;
    }
    io_destroy(context);
    return NULL;
}

int main(int argc, char **argv)
{
    struct histogram latency = { .total = 0 };
    uint64_t started, operations = 0;
    struct worker *workers;
    double cpu_started;
    int threads;

    if (argc != 6)
        return 2;
    depth = atoi(argv[3]);
    batch = atoi(argv[4]);
    threads = atoi(argv[5]);
    fd = open_direct(argv[1], O_RDONLY, BLOCK, &blocks);
    if (depth < 1 || depth > MOST || batch < 1 || batch > depth || threads < 1)
        return 2;
    workers = calloc(threads, sizeof *workers);
    started = nanoseconds();
    cpu_started = cpu_seconds();
    ends_at = started + atof(argv[2]) * 1e9;
    for (int i = 0; i < threads; i++) {
        workers[i].seed = 88172645463325252ull + i * 7919;
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        operations += workers[i].operations;
        histogram_merge(&latency, &workers[i].latency);
    }
    report(operations, started, cpu_started, &latency);
    return 0;
}
