/* io_cancel@LIBAIO_0.1 has two arguments (A14, C9). */
#include "libaio-test.h"

int old_cancel(io_context_t context, struct iocb *iocb);
__asm__(".symver old_cancel, io_cancel@LIBAIO_0.1");

int main(void)
{
    io_context_t context = context_of(8);
    struct io_event event;
    struct iocb poll;
    int ends[2];

    CHECK(pipe(ends) == 0);
    io_prep_poll(&poll, ends[0], POLLIN);
    EQ(old_cancel(context, &poll), -EINVAL);
    EQ(old_cancel(context, NULL), -EFAULT);
    submit_one(context, &poll);
    EQ(old_cancel(context, &poll), -EINPROGRESS);
    reap(context, 1, &event);
    CHECK(event.obj == &poll);
    EQ(old_cancel(context, &poll), -EINVAL);
    EQ(io_destroy(context), 0);
    return 0;
}
