/* What grows with use but is not throughput: growth contexts N | suspend N SECONDS | idle FILE.
 * contexts: makes N contexts and destroys them; suspend: calls aio_suspend on N requests of which the last has ended;
 * idle: does one request by each interface, says so, and waits for the end of its standard input. */
#include <aio.h>
#include <libaio.h>

#include "measure.h"

static long resident_bytes(void)
{
    long size, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (!file || fscanf(file, "%ld %ld", &size, &resident) != 2)
        die("/proc/self/statm", errno);
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

static int contexts(int count)
{
    io_context_t *list = calloc(count, sizeof *list), first = 0;
    double begun, made;
    uint64_t destroyed;
    int ended = count < 20 ? count : 20; /* the kernel takes 30 ms for each; the others end with the process */
    long before;
    int error = io_setup(1, &first); /* what happens only once has happened by then */

    memset(list, 1, count * sizeof *list);
    memset(list, 0, count * sizeof *list);
    before = resident_bytes();
    begun = cpu_seconds();
    for (int i = 0; i < count && !error; i++)
        error = io_setup(1, &list[i]);
    if (error)
        die("io_setup", -error);
    made = cpu_seconds();
    before = resident_bytes() - before;
    destroyed = nanoseconds();
    for (int i = 0; i < ended; i++)
        io_destroy(list[i]);
    destroyed = nanoseconds() - destroyed;
    printf("{\"setup\": %.3f, \"destroy\": %.3f, \"bytes\": %.1f}\n", (made - begun) * 1e6 / count, destroyed / 1e3 / ended,
           (double)before / count);
    return 0;
}

static int suspend(int count, double seconds)
{
    enum { CALLS_PER_CLOCK = 16 };
    uint64_t calls = 0, length = seconds * 1e9;
    struct histogram none = { .total = 0 };
    double cpu_begun;
    struct aiocb *requests = calloc(count, sizeof *requests);
    const struct aiocb **list = calloc(count, sizeof *list);
    static char bytes[16384];
    uint64_t begun;
    int ends[2], null = open("/dev/null", O_RDONLY);

    if (pipe(ends) != 0)
        die("pipe", errno);
    for (int i = 0; i < count; i++) {
        /* All but the last wait for a pipe in which nothing will arrive. */
        requests[i].aio_fildes = i == count - 1 ? null : ends[0];
        requests[i].aio_buf = bytes;
        requests[i].aio_nbytes = 1;
        requests[i].aio_sigevent.sigev_notify = SIGEV_NONE;
        list[i] = &requests[i];
        if (aio_read(&requests[i]) != 0)
            die("aio_read", errno);
    }
    while (aio_error(&requests[count - 1]) == EINPROGRESS)
        usleep(1000);
    begun = nanoseconds();
    cpu_begun = cpu_seconds();
    while (nanoseconds() - begun < length)
        for (int i = 0; i < CALLS_PER_CLOCK; i++, calls++)
            if (aio_suspend(list, count, NULL) != 0)
                die("aio_suspend", errno);
    report(calls, begun, cpu_begun, &none);
    fflush(stdout);
    _exit(0);
}

static int idle(const char *path)
{
    struct aiocb request = { .aio_fildes = open(path, O_RDONLY | O_DIRECT) };
    const struct aiocb *list[] = { &request };
    struct iocb iocb, *iocbs[] = { &iocb };
    struct io_event event;
    io_context_t context = 0;
    char end;

    request.aio_buf = aligned_buffer(4096);
    request.aio_nbytes = 4096;
    request.aio_sigevent.sigev_notify = SIGEV_NONE;
    if (aio_read(&request) != 0 || aio_suspend(list, 1, NULL) != 0 || aio_return(&request) != 4096)
        die("aio_read", errno);
    io_prep_pread(&iocb, request.aio_fildes, (void *)request.aio_buf, 4096, 0);
    if (io_setup(16, &context) != 0 || io_submit(context, 1, iocbs) != 1 || io_getevents(context, 1, 1, &event, NULL) != 1)
        die("libaio", EIO);
    printf("ready\n");
    fflush(stdout);
    return read(0, &end, 1) != 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "contexts"))
        return contexts(atoi(argv[2]));
    if (argc == 4 && !strcmp(argv[1], "suspend"))
        return suspend(atoi(argv[2]), atof(argv[3]));
    if (argc == 3 && !strcmp(argv[1], "idle"))
        return idle(argv[2]);
    return 2;
}
