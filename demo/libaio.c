/* The demo's load written for libaio: 32 random reads in flight, each replaced when it has ended. Like fio, the program
 * sends one read and takes one event in a call. */
#include <libaio.h>

#include "load.h"

static void submit(io_context_t context, struct load *load, struct iocb *iocb)
{
    int taken;

    iocb->u.c.offset = load_next_block(load) * BLOCK;
    taken = io_submit(context, 1, &iocb);
    if (taken != 1)
        die("io_submit", taken < 0 ? -taken : EAGAIN);
}

int main(int argc, char **argv)
{
    static struct iocb iocbs[DEPTH];
    io_context_t context = 0;
    struct load load;
    int left = DEPTH, error;

    load_open(&load, argc, argv);
    error = io_setup(DEPTH, &context);
    if (error)
        die("io_setup", -error);
    for (int i = 0; i < DEPTH; i++) {
        io_prep_pread(&iocbs[i], load.fd, load_buffer(), BLOCK, 0);
        submit(context, &load, &iocbs[i]);
    }
    while (left > 0) {
        struct io_event event;
        int count = io_getevents(context, 1, 1, &event, NULL);

        if (count == -EINTR)
            continue;
        if (count != 1)
            die("io_getevents", count < 0 ? -count : ENODATA);
        load_check(&load, (long)event.res, event.obj->u.c.buf, event.obj->u.c.offset);
        if (load_goes_on(&load))
            submit(context, &load, event.obj);
        else
            left--;
    }
    load_report(&load);
    io_destroy(context);
    return 0;
}
