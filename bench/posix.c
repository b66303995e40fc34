/* posix FILE SECONDS DEPTH BATCH [write]: 4 KiB O_DIRECT random reads or writes by POSIX AIO; a batch above 1 goes out by
 * lio_listio. Batches take turns: the program waits for the oldest with aio_suspend and sends it again, so DEPTH requests
 * are in flight. */
#include <aio.h>

#include "measure.h"

enum { BLOCK = 4096, MOST = 16384 };

static struct aiocb requests[MOST];
static uint64_t sent_at[MOST];
static struct histogram latency;
static uint64_t blocks, seed = 88172645463325252ull;
static int writes;

static void send(int first, int batch)
{
    static struct aiocb *list[MOST];

    for (int i = 0; i < batch; i++) {
        list[i] = &requests[first + i];
        list[i]->aio_offset = next_random(&seed) % blocks * BLOCK;
        sent_at[first + i] = nanoseconds();
    }
    if (batch > 1 ? lio_listio(LIO_NOWAIT, list, batch, NULL) : writes ? aio_write(list[0]) : aio_read(list[0]))
        die("submit", errno);
}

static void wait_for(int first, int batch)
{
    static const struct aiocb *list[MOST];
    int left = batch;

    for (int i = 0; i < batch; i++)
        list[i] = &requests[first + i];
    while (left > 0) {
        if (aio_suspend(list, batch, NULL) != 0 && errno != EINTR)
            die("aio_suspend", errno);
        for (int i = 0; i < batch; i++) {
            if (!list[i] || aio_error(list[i]) == EINPROGRESS)
                continue;
            if (aio_return(&requests[first + i]) != BLOCK)
                die("a request ended badly", EIO);
            histogram_add(&latency, nanoseconds() - sent_at[first + i]);
            list[i] = NULL;
            left--;
        }
    }
}

int main(int argc, char **argv)
{
    uint64_t started, length, operations = 0;
    double cpu_started;
    int depth, batch, fd;
    void *buffer = aligned_buffer(BLOCK);

    if (argc != 5 && argc != 6)
        return 2;
    length = atof(argv[2]) * 1e9;
    depth = atoi(argv[3]);
    batch = atoi(argv[4]);
    writes = argc == 6 && !strcmp(argv[5], "write");
    fd = open_direct(argv[1], writes ? O_RDWR : O_RDONLY, BLOCK, &blocks);
    if (depth < 1 || depth > MOST || batch < 1 || depth % batch)
        return 2;
    for (int i = 0; i < depth; i++) {
        requests[i].aio_fildes = fd;
        requests[i].aio_nbytes = BLOCK;
        requests[i].aio_buf = buffer; /* what is read is not looked at */
        requests[i].aio_lio_opcode = writes ? LIO_WRITE : LIO_READ;
        requests[i].aio_sigevent.sigev_notify = SIGEV_NONE;
    }
    started = nanoseconds();
    cpu_started = cpu_seconds();
    for (int first = 0; first < depth; first += batch)
        send(first, batch);
    while (nanoseconds() - started < length)
        for (int first = 0; first < depth; first += batch) {
            wait_for(first, batch);
            operations += batch;
            send(first, batch);
        }
    for (int first = 0; first < depth; first += batch) {
        wait_for(first, batch);
        operations += batch;
    }
    report(operations, started, cpu_started, &latency);
    return 0;
}
