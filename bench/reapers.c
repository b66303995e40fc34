/* reapers FILE SECONDS DEPTH THREADS: 4 KiB O_DIRECT random reads by libaio on one context that all threads share. Each
 * thread takes what has ended, whoever sent it, and sends as many reads again; DEPTH are in flight in all. */
#include <libaio.h>
#include <pthread.h>
#include <stdatomic.h>

#include "measure.h"

enum { BLOCK = 4096, MOST = 1024, EVENTS = 8 };

struct reaper {
    pthread_t thread;
    uint64_t seed, operations;
    struct histogram latency;
};

static struct iocb iocbs[MOST], last[MOST];
static uint64_t sent_at[MOST], blocks, ends_at;
static atomic_int in_flight;
static io_context_t context;

static void submit(int count, struct iocb **list)
{
    while (count > 0) {
        int taken = io_submit(context, count, list);

        if (taken <= 0)
            die("io_submit", taken < 0 ? -taken : EAGAIN);
        list += taken;
        count -= taken;
    }
}

static int is_last(const struct iocb *iocb)
{
    return iocb >= last && iocb < last + MOST;
}

static void *reap(void *argument)
{
    struct reaper *reaper = argument;
    struct iocb *again[EVENTS];
    struct io_event events[EVENTS];

    for (;;) {
        int count = io_getevents(context, 1, EVENTS, events, NULL), wanted = 0, end = 0;
        uint64_t now = nanoseconds();

        if (count < 0 && count != -EINTR)
            die("io_getevents", -count);
        for (int i = 0; i < count; i++) {
            struct iocb *iocb = events[i].obj;

            if (events[i].res != BLOCK)
                die("a read ended badly", EIO);
            if (is_last(iocb)) { /* one of them ends one thread; another thread needs the next */
                if (end++)
                    again[wanted++] = iocb;
                continue;
            }
            histogram_add(&reaper->latency, now - sent_at[iocb - iocbs]);
            reaper->operations++;
            if (now >= ends_at) {
                atomic_fetch_sub(&in_flight, 1);
                continue;
            }
            iocb->u.c.offset = next_random(&reaper->seed) % blocks * BLOCK;
            sent_at[iocb - iocbs] = now;
            again[wanted++] = iocb;
        }
        submit(wanted, again);
        if (end)
            return NULL;
    }
}

int main(int argc, char **argv)
{
    struct timespec short_while = { 0, 1000000 };
    struct histogram latency = { .total = 0 };
    struct iocb *list[MOST];
    struct reaper *reapers;
    uint64_t started, operations = 0, seed = 88172645463325252ull;
    int depth, threads, fd, error;
    void *buffer = aligned_buffer(BLOCK); /* all reads go there: nothing looks at what they read */
    double cpu_started;

    if (argc != 5 || (depth = atoi(argv[3])) < 1 || depth > MOST || (threads = atoi(argv[4])) < 1 || threads > MOST)
        return 2;
    fd = open_direct(argv[1], O_RDONLY, BLOCK, &blocks);
    reapers = calloc(threads, sizeof *reapers);
    error = io_setup(depth + threads, &context);
    if (error)
        die("io_setup", -error);
    started = nanoseconds();
    cpu_started = cpu_seconds();
    ends_at = started + atof(argv[2]) * 1e9;
    for (int i = 0; i < depth; i++) {
        io_prep_pread(&iocbs[i], fd, buffer, BLOCK, next_random(&seed) % blocks * BLOCK);
        sent_at[i] = started;
        list[i] = &iocbs[i];
    }
    atomic_store(&in_flight, depth);
    submit(depth, list);
    for (int i = 0; i < threads; i++) {
        reapers[i].seed = 88172645463325252ull + i * 7919;
        pthread_create(&reapers[i].thread, NULL, reap, &reapers[i]);
    }
    while (atomic_load(&in_flight) > 0)
        nanosleep(&short_while, NULL);
    for (int i = 0; i < threads; i++)
        operations += reapers[i].operations;
    for (int i = 0; i < threads; i++)
        histogram_merge(&latency, &reapers[i].latency);
    report(operations, started, cpu_started, &latency);
    for (int i = 0; i < threads; i++) {
        io_prep_pread(&last[i], fd, buffer, BLOCK, 0);
        list[i] = &last[i];
    }
    submit(threads, list);
    for (int i = 0; i < threads; i++)
        pthread_join(reapers[i].thread, NULL);
    io_destroy(context);
    return 0;
}
