// face: libaio
/* A destroyed context is EINVAL for everything, and never again valid unless io_setup gives the same address
   [A8] (io_destroy(2)). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);
    struct iocb iocb, *list = &iocb;
    struct io_event event;
    char buffer[16];

    for (int round = 0; round < 20; round++) {
        io_context_t context = make_context(8);

        io_prep_pread(&iocb, fd, buffer, 16, 0);
        CHECK_INT(io_submit(context, 1, &list), 1);
        if (round % 2)
            reap(context, 1, &event);
        CHECK_INT(io_destroy(context), 0);
        CHECK_INT(io_destroy(context), -EINVAL);
        CHECK_INT(io_submit(context, 1, &list), -EINVAL);
        CHECK_INT(io_submit(context, 0, &list), -EINVAL);
        CHECK_INT(io_cancel(context, &iocb, &event), -EINVAL);
        CHECK_INT(io_queue_release(context), -EINVAL);
    }
    return 0;
}
