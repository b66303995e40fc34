// face: libaio
// columns: oracle preload drop-in threads -- the column engine keeps O_DIRECT away from the kernel's AIO, which asks no server
// alone: a real-time thread keeps a whole processor to itself
/* A SCHED_FIFO thread that is pinned to one processor, makes the first AIO call and reads the completion ring in memory
   without ever sleeping sees the events of its requests: O_DIRECT reads and writes, buffered ones, and a poll.

   [D6] The kernel writes the events in interrupts and work queues, which run on other processors or before the thread
   (fs/aio.c). SPDK and QEMU's iothreads poll like that. A library's threads must not inherit the caller's class or
   mask. */
#include "behaviour.h"
#include "iocb.h"

#include <poll.h>

#define ROUNDS 10
#define BLOCK 4096

static io_context_t context;

/* Reads the ring until the request's event is there. (Real-time threads get 95 % of a second: the deadline works.) */
static void poll_for(const char *what, struct iocb *iocb, long result)
{
    struct io_event event;

    STEP(what);
    submit_one(context, iocb);
    while (!ring_take(context, &event))
        ;
    CHECK(event.obj == iocb);
    if (result >= 0)
        CHECK_INT((long)event.res, result);
}

static void *poller(void *unused)
{
    unsigned char *buffer = new_pages(BLOCK);
    int direct, cached, ends[2];
    struct iocb iocb;

    (void)unused;
    direct = scratch_file("direct", O_RDWR | O_DIRECT, BLOCK, 1);
    cached = scratch_file("cached", O_RDWR, BLOCK, 1);
    make_pipe(ends);
    context = make_context(8);
    for (int round = 0; round < ROUNDS; round++) {
        io_prep_pread(&iocb, direct, buffer, BLOCK, 0);
        poll_for("a polled read of an O_DIRECT file", &iocb, BLOCK);
        io_prep_pwrite(&iocb, direct, buffer, BLOCK, 0);
        poll_for("a polled write to an O_DIRECT file", &iocb, BLOCK);
        io_prep_pread(&iocb, cached, buffer, BLOCK, 0);
        poll_for("a polled read of a cached file", &iocb, BLOCK);
        io_prep_fsync(&iocb, cached);
        poll_for("a polled fsync", &iocb, 0);
        io_prep_poll(&iocb, ends[1], POLLOUT);
        poll_for("a polled poll", &iocb, -1);
    }
    return NULL;
}

int main(void)
{
    struct sched_param parameter = { .sched_priority = 1 };
    pthread_attr_t attributes;
    pthread_t thread;
    cpu_set_t all, one;
    int cpu = -1, error;

    start_deadline();
    MUST(sched_getaffinity(0, sizeof all, &all));
    if (CPU_COUNT(&all) < 2)
        SKIP("one processor has no room for a thread that never sleeps");
    for (int i = 0; i < CPU_SETSIZE && cpu == -1; i++)
        if (CPU_ISSET(i, &all))
            cpu = i;
    /* The last one, for the first often serves interrupts. */
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &all))
            cpu = i;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    pthread_attr_init(&attributes);
    pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
    pthread_attr_setschedparam(&attributes, &parameter);
    pthread_attr_setaffinity_np(&attributes, sizeof one, &one);
    error = pthread_create(&thread, &attributes, poller, NULL);
    if (error == EPERM)
        SKIP("no SCHED_FIFO here");
    CHECK_INT(error, 0);
    join_thread(thread);
    STEP("io_destroy");
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
