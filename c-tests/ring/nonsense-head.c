// face: libaio
/* The program may write head: io_getevents takes it modulo nr on every call, and nothing breaks when it is nonsense
   [A1] (fs/aio.c aio_read_events_ring). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);
    io_context_t context = make_context(8);
    struct ring *ring = ring_of(context);
    struct timespec now = {0, 0};
    struct io_event events[16];
    struct iocb iocbs[8], *list[8];
    char buffer[512];

    for (int i = 0; i < 8; i++) {
        list[i] = &iocbs[i];
        io_prep_pread(&iocbs[i], fd, buffer, 512, 0);
    }
    CHECK_INT(io_submit(context, 8, list), 8);
    WAIT_UNTIL(ring->tail == 8);

    /* nr + 5 means 5. */
    ring->head = ring->nr + 5;
    CHECK_INT(io_getevents(context, 1, 16, events, NULL), 3);
    CHECK(events[0].obj == ring->events[5].obj);
    CHECK(events[2].obj == ring->events[7].obj);
    CHECK_INT(ring->head, 8);
    CHECK_INT(io_getevents(context, 0, 16, events, &now), 0);

    /* Going back shows old events again; the program asked for it. */
    ring->head = 6;
    CHECK_INT(io_getevents(context, 0, 1, events, &now), 1);
    CHECK(events[0].obj == ring->events[6].obj);
    CHECK_INT(ring->head, 7);

    /* The largest number there is. */
    ring->head = UINT_MAX - UINT_MAX % ring->nr + 1;
    CHECK_INT(io_getevents(context, 1, 16, events, NULL), 7);
    CHECK(events[0].obj == ring->events[1].obj);
    CHECK_INT(ring->head, 8);

    /* All is well afterwards. */
    CHECK_INT(io_submit(context, 1, list), 1);
    reap(context, 1, events);
    CHECK(events[0].obj == &iocbs[0]);
    CHECK_INT((long)events[0].res, 512);
    CHECK_INT(ring->head, 9);
    CHECK_INT(ring->tail, 9);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
