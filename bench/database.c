/* database FILE SECONDS THREADS: the pattern of a database on libaio. Each of THREADS threads submits one 16 KiB O_DIRECT
 * random read and sleeps until its page is there; one thread reaps for all and wakes them. */
#include <libaio.h>
#include <pthread.h>
#include <semaphore.h>

#include "measure.h"

enum { PAGE = 16384, MOST = 256 };

struct worker {
    pthread_t thread;
    struct iocb iocb;
    sem_t page_is_there;
    long result;
    uint64_t seed, operations;
    struct histogram latency;
    void *buffer;
};

static struct worker workers[MOST], last;
static io_context_t context;
static uint64_t pages, ends_at;
static int fd;

static void submit(struct worker *worker)
{
    struct iocb *iocb = &worker->iocb;
    int taken;

    io_prep_pread(iocb, fd, worker->buffer, PAGE, next_random(&worker->seed) % pages * PAGE);
    iocb->data = worker;
    taken = io_submit(context, 1, &iocb);
    if (taken != 1)
        die("io_submit", taken < 0 ? -taken : EAGAIN);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    uint64_t sent_at;

    while ((sent_at = nanoseconds()) < ends_at) {
        submit(worker);
        while (sem_wait(&worker->page_is_there) != 0)
            if (errno != EINTR)
                die("sem_wait", errno);
        if (worker->result != PAGE)
            die("a read ended badly", EIO);
        histogram_add(&worker->latency, nanoseconds() - sent_at);
        worker->operations++;
    }
    return NULL;
}

static void *reap(void *argument)
{
    struct io_event events[64];

    for (;;) {
        int count = io_getevents(context, 1, 64, events, NULL);

        if (count < 0 && count != -EINTR)
            die("io_getevents", -count);
        for (int i = 0; i < count; i++) {
            struct worker *worker = events[i].data;

            if (worker == &last) /* submitted when all others had ended */
                return argument;
            worker->result = events[i].res;
            sem_post(&worker->page_is_there);
        }
    }
}

int main(int argc, char **argv)
{
    struct histogram latency = { .total = 0 };
    uint64_t started, operations = 0;
    pthread_t reaper;
    double cpu_started;
    int threads, error;

    if (argc != 4 || (threads = atoi(argv[3])) < 1 || threads > MOST)
        return 2;
    fd = open_direct(argv[1], O_RDONLY, PAGE, &pages);
    error = io_setup(threads + 1, &context);
    if (error)
        die("io_setup", -error);
    last.buffer = aligned_buffer(PAGE);
    last.seed = 1;
    started = nanoseconds();
    cpu_started = cpu_seconds();
    ends_at = started + atof(argv[2]) * 1e9;
    pthread_create(&reaper, NULL, reap, NULL);
    for (int i = 0; i < threads; i++) {
        workers[i].seed = 88172645463325252ull + i * 7919;
        workers[i].buffer = aligned_buffer(PAGE);
        sem_init(&workers[i].page_is_there, 0, 0);
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        operations += workers[i].operations;
        histogram_merge(&latency, &workers[i].latency);
    }
    report(operations, started, cpu_started, &latency);
    submit(&last);
    pthread_join(reaper, NULL);
    io_destroy(context);
    return 0;
}
