// face: libaio
/* io_cancel@LIBAIO_0.1 has two arguments [A14] [C9]. */
#include "iocb.h"

int old_cancel(io_context_t context, struct iocb *iocb);
__asm__(".symver old_cancel, io_cancel@LIBAIO_0.1");

int main(void)
{
    io_context_t context = make_context(8);
    struct io_event event;
    struct iocb poll;
    int ends[2];

    CHECK(pipe(ends) == 0);
    io_prep_poll(&poll, ends[0], POLLIN);
    CHECK_INT(old_cancel(context, &poll), -EINVAL);
    CHECK_INT(old_cancel(context, NULL), -EFAULT);
    submit_one(context, &poll);
    CHECK_INT(old_cancel(context, &poll), -EINPROGRESS);
    reap(context, 1, &event);
    CHECK(event.obj == &poll);
    CHECK_INT(old_cancel(context, &poll), -EINVAL);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
