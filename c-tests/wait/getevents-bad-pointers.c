// face: libaio
/* A bad event array is EFAULT and loses nothing: the events come with the next call [A16] (fs/aio.c). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);
    io_context_t context = make_context(8);
    char *pages = before_no_access(4096), buffer[16];
    struct io_event *last = (struct io_event *)(pages + 4096), events[4];
    struct iocb iocbs[3], *list[3];
    struct timespec now = {0, 0};
    unsigned seen = 0;

    for (int i = 0; i < 3; i++) {
        list[i] = &iocbs[i];
        io_prep_pread(&iocbs[i], fd, buffer, 16, 0);
    }
    CHECK_INT(io_submit(context, 3, list), 3);
    WAIT_UNTIL(ring_ready(context) == 3);
    CHECK_INT(io_getevents(context, 1, 4, NULL, NULL), -EFAULT);
    CHECK_INT(io_getevents(context, 1, 4, no_access(), &now), -EFAULT);
    CHECK_INT(io_getevents(context, 3, 3, read_only(), NULL), -EFAULT);
    CHECK_INT(io_getevents(context, 0, 1, wild(0xffff800000000000), &now), -EFAULT);
    CHECK_INT(io_getevents(context, 1, 3, last - 1, NULL), -EFAULT);
    CHECK_INT(ring_ready(context), 3);
    CHECK_INT(io_getevents(context, 3, 3, last - 3, NULL), 3);
    for (int i = 1; i <= 3; i++)
        seen |= 1u << (last[-i].obj - iocbs);
    CHECK_INT(seen, 7);

    /* Room for what is there is enough, though nr says more. */
    CHECK_INT(io_submit(context, 2, list), 2);
    WAIT_UNTIL(ring_ready(context) == 2);
    CHECK_INT(io_getevents(context, 1, 8, last - 2, NULL), 2);
    CHECK_INT(io_getevents(context, 0, 4, events, &now), 0);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
