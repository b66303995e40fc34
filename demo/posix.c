/* The demo's load written for POSIX AIO: 32 random reads in flight, each replaced when it has ended. Like fio, the program
 * waits for at most eight requests at a time. */
#include <aio.h>

#include "load.h"

enum { WAITED_FOR = 8 };

static void submit(struct load *load, struct aiocb *request)
{
    request->aio_offset = load_next_block(load) * BLOCK;
    if (aio_read(request) != 0)
        die("aio_read", errno);
}

/* Whether the request goes out again. */
static int finish(struct load *load, struct aiocb *request, int error)
{
    if (error)
        die("aio_error", error);
    load_check(load, aio_return(request), (void *)request->aio_buf, request->aio_offset);
    if (!load_goes_on(load))
        return 0;
    submit(load, request);
    return 1;
}

int main(int argc, char **argv)
{
    static struct aiocb requests[DEPTH];
    static int in_flight[DEPTH];
    struct load load;
    int left = DEPTH;

    load_open(&load, argc, argv);
    for (int i = 0; i < DEPTH; i++) {
        requests[i].aio_fildes = load.fd;
        requests[i].aio_nbytes = BLOCK;
        requests[i].aio_buf = load_buffer();
        requests[i].aio_sigevent.sigev_notify = SIGEV_NONE;
        submit(&load, &requests[i]);
        in_flight[i] = 1;
    }
    while (left > 0) {
        const struct aiocb *waiting[WAITED_FOR];
        int count = 0, ended = 0;

        for (int i = 0; i < DEPTH; i++) {
            int error;

            if (!in_flight[i])
                continue;
            error = aio_error(&requests[i]);
            if (error != EINPROGRESS) {
                ended = 1;
                in_flight[i] = finish(&load, &requests[i], error);
                left -= !in_flight[i];
            } else if (count < WAITED_FOR) {
                waiting[count++] = &requests[i];
            }
        }
        if (!ended && left > 0 && aio_suspend(waiting, count, NULL) != 0 && errno != EINTR)
            die("aio_suspend", errno);
    }
    load_report(&load);
    return 0;
}
