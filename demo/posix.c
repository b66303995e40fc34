/* The demo's load written for POSIX AIO: 32 random reads in flight, each replaced as soon as it has ended. */
#include <aio.h>

#include "load.h"

static void submit(struct load *load, struct aiocb *request)
{
    request->aio_offset = load_next_block(load) * BLOCK;
    if (aio_read(request) != 0)
        die("aio_read", errno);
}

int main(int argc, char **argv)
{
    static struct aiocb requests[DEPTH];
    const struct aiocb *waiting[DEPTH];
    struct load load;
    int in_flight = 0;

    load_open(&load, argc, argv);
    for (int i = 0; i < DEPTH; i++) {
        requests[i].aio_fildes = load.fd;
        requests[i].aio_nbytes = BLOCK;
        requests[i].aio_buf = load_buffer();
        requests[i].aio_sigevent.sigev_notify = SIGEV_NONE;
        waiting[i] = &requests[i];
        submit(&load, &requests[i]);
        in_flight++;
    }
    while (in_flight > 0) {
        if (aio_suspend(waiting, DEPTH, NULL) != 0 && errno != EINTR)
            die("aio_suspend", errno);
        for (int i = 0; i < DEPTH; i++) {
            int error;

            if (!waiting[i] || (error = aio_error(&requests[i])) == EINPROGRESS)
                continue;
            if (error)
                die("aio_error", error);
            load_check(&load, aio_return(&requests[i]), (void *)requests[i].aio_buf, requests[i].aio_offset);
            if (load_goes_on(&load)) {
                submit(&load, &requests[i]);
            } else {
                waiting[i] = NULL;
                in_flight--;
            }
        }
    }
    load_report(&load);
    return 0;
}
