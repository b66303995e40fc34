// face: libaio
/* io_setup refuses 0, a context that is not NULL, absurd sizes and bad pointers, and leaves *ctxp alone then
   [A10] [A16] (io_setup(2)). */
#include "iocb.h"

int main(void)
{
    io_context_t context = NULL, *page;

    CHECK_INT(io_setup(0, &context), -EINVAL);
    CHECK_INT(io_setup(-1, &context), -EINVAL);
    CHECK_INT(io_setup(INT_MAX, &context), -EINVAL);
    CHECK_INT(io_setup(0x10000000 / 32 + 1, &context), -EINVAL);
    CHECK(context == NULL);
    context = (io_context_t)&context;
    CHECK_INT(io_setup(8, &context), -EINVAL);
    CHECK(context == (io_context_t)&context);
    context = (io_context_t)1;
    CHECK_INT(io_setup(8, &context), -EINVAL);
    CHECK_INT(io_setup(0, &context), -EINVAL);

    CHECK_INT(io_setup(8, NULL), -EFAULT);
    CHECK_INT(io_setup(0, NULL), -EFAULT);
    CHECK_INT(io_setup(8, no_access()), -EFAULT);
    page = read_only();
    CHECK_INT(io_setup(8, page), -EFAULT);
    CHECK_INT(io_setup(0, page), -EINVAL);
    CHECK(*page == NULL);
    return 0;
}
