/* The demo's load written for libaio: 32 random reads in flight, those that have ended replaced in one call. */
#include <libaio.h>

#include "load.h"

int main(int argc, char **argv)
{
    static struct iocb iocbs[DEPTH];
    struct iocb *batch[DEPTH];
    struct io_event events[DEPTH];
    io_context_t context = 0;
    struct load load;
    int in_flight = 0, error, ready = DEPTH;

    load_open(&load, argc, argv);
    error = io_setup(DEPTH, &context);
    if (error)
        die("io_setup", -error);
    for (int i = 0; i < DEPTH; i++) {
        io_prep_pread(&iocbs[i], load.fd, load_buffer(), BLOCK, 0);
        batch[i] = &iocbs[i];
    }
    do {
        for (int i = 0; i < ready; i++)
            batch[i]->u.c.offset = load_next_block(&load) * BLOCK;
        for (int sent = 0; sent < ready;) {
            int taken = io_submit(context, ready - sent, batch + sent);

            if (taken <= 0)
                die("io_submit", taken < 0 ? -taken : EAGAIN);
            sent += taken;
            in_flight += taken;
        }
        do {
            ready = io_getevents(context, 1, DEPTH, events, NULL);
            if (ready < 0 && ready != -EINTR)
                die("io_getevents", -ready);
            for (int i = 0; i < ready; i++) {
                batch[i] = events[i].obj;
                load_check(&load, (long)events[i].res, batch[i]->u.c.buf, batch[i]->u.c.offset);
                in_flight--;
            }
        } while (in_flight > 0 && (ready < 0 || !load_goes_on(&load)));
    } while (load_goes_on(&load));
    load_report(&load);
    io_destroy(context);
    return 0;
}
