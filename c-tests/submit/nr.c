// face: libaio
/* io_submit's nr: 0 does nothing, a negative one is EINVAL, and more than the list holds is the list's own end
   [A4] (fs/aio.c io_submit). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);
    io_context_t context = make_context(8);
    struct iocb iocb, bad, *list[3] = {&iocb, &iocb, &bad};
    char *pages = before_no_access(4096), buffer[16];
    struct iocb **last = (struct iocb **)(pages + 4096) - 2;
    struct io_event events[2];

    io_prep_pread(&iocb, fd, buffer, 16, 0);
    memset(&bad, -1, sizeof(bad));

    CHECK_INT(io_submit(context, 0, list), 0);
    CHECK_INT(io_submit(context, 0, NULL), 0);
    CHECK_INT(io_submit(context, 0, no_access()), 0);
    CHECK_INT(io_submit(context, -1, list), -EINVAL);
    CHECK_INT(io_submit(context, LONG_MIN, list), -EINVAL);
    CHECK_INT(io_submit(context, -1, NULL), -EINVAL);
    CHECK_INT(io_submit(NULL, 0, list), -EINVAL);
    CHECK_INT(io_submit(NULL, -1, list), -EINVAL);
    none_left(context);

    /* The largest counts: the first bad iocb, or the end of memory, stops them. */
    CHECK_INT(io_submit(context, LONG_MAX, list), 2);
    reap(context, 2, events);
    last[0] = last[1] = &iocb;
    CHECK_INT(io_submit(context, LONG_MAX, last), 2);
    reap(context, 2, events);
    CHECK_INT(io_submit(context, INT_MAX, last + 1), 1);
    reap(context, 1, events);
    CHECK_INT(io_submit(context, LONG_MAX, last + 2), -EFAULT);
    none_left(context);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
