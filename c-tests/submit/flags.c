// face: libaio
/* Bits of aio_flags that mean nothing are accepted and ignored, aio_resfd too without its flag [A4] (fs/aio.c). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);
    io_context_t context = make_context(8);
    char buffer[16];

    for (int bit = 2; bit < 33; bit++) {
        struct io_event event;
        struct iocb iocb;

        io_prep_pread(&iocb, fd, buffer, 16, 0);
        iocb.u.c.flags = bit < 32 ? 1u << bit : ~3u;
        iocb.u.c.resfd = 0xffffffffu;
        iocb.aio_reqprio = (short)0xffff; /* nonsense, and not asked for */
        submit_one(context, &iocb);
        reap(context, 1, &event);
        CHECK_INT((long)event.res, 16);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
