// face: libaio
/* io_getevents: min_nr > nr and negative numbers are EINVAL, (0, 0, NULL, {0}) is 0, nr 0 takes nothing
   [A7] (io_getevents(2)). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);
    io_context_t context = make_context(8);
    struct timespec now = {0, 0}, soon = {0, 1000000};
    struct io_event events[4];
    struct iocb iocb, *list[3] = {&iocb, &iocb, &iocb};
    char buffer[16];

    CHECK_INT(io_getevents(context, 0, 0, NULL, &now), 0);
    CHECK_INT(io_getevents(context, 0, 0, NULL, NULL), 0);
    CHECK_INT(io_getevents(context, 0, 4, events, NULL), 0);
    CHECK_INT(io_getevents(context, 0, 0, NULL, &soon), 0);
    CHECK_INT(io_getevents(context, 2, 1, events, NULL), -EINVAL);
    CHECK_INT(io_getevents(context, 2, 1, events, &soon), -EINVAL);
    CHECK_INT(io_getevents(context, 1, 0, events, &soon), -EINVAL);
    CHECK_INT(io_getevents(context, -1, 1, events, &soon), -EINVAL);
    CHECK_INT(io_getevents(context, -1, 1, events, NULL), -EINVAL);
    CHECK_INT(io_getevents(context, 0, -1, events, &soon), -EINVAL);
    CHECK_INT(io_getevents(context, -2, -1, events, &soon), -EINVAL);
    CHECK_INT(io_getevents(context, LONG_MIN, LONG_MAX, events, NULL), -EINVAL);
    CHECK_INT(io_getevents(context, LONG_MAX, LONG_MAX, events, &soon), 0);

    io_prep_pread(&iocb, fd, buffer, 16, 0);
    CHECK_INT(io_submit(context, 3, list), 3);
    WAIT_UNTIL(ring_ready(context) == 3);
    /* With events there, a bad call takes none of them. */
    CHECK_INT(io_getevents(context, 2, 1, events, &now), -EINVAL);
    CHECK_INT(io_getevents(context, -1, 4, events, &now), -EINVAL);
    CHECK_INT(io_getevents(context, 0, -1, events, &now), -EINVAL);
    CHECK_INT(io_getevents(context, 0, 0, NULL, &now), 0);
    CHECK_INT(io_getevents(context, 0, 0, NULL, NULL), 0);
    CHECK_INT(ring_ready(context), 3);
    CHECK_INT(io_getevents(context, 0, 1, events, NULL), 1);
    CHECK_INT(io_getevents(context, 1, LONG_MAX, events, NULL), 2);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
