// face: libaio
/* io_event: obj is the iocb's address, data is aio_data as it was at submit, res the count or -errno as 64 bit, res2 0
   [A6] (InnoDB asserts it). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, 65536, 0);
    io_context_t context = make_context(8);
    char *buffer = aligned(8192);
    struct io_event event;
    struct iocb iocb;

    memset(&event, 0xa5, sizeof(event));
    io_prep_pread(&iocb, fd, buffer, 8192, 4096);
    iocb.data = (void *)0xfedcba9876543210;
    submit_one(context, &iocb);
    iocb.data = NULL;
    reap(context, 1, &event);
    CHECK(event.obj == &iocb);
    CHECK(event.data == (void *)0xfedcba9876543210);
    CHECK(event.res == 8192);
    CHECK(event.res2 == 0);

    /* A failure: O_DIRECT into memory that is aligned for nobody. */
    memset(&event, 0xa5, sizeof(event));
    io_prep_pread(&iocb, fd, buffer + 1, 511, 1);
    submit_one(context, &iocb);
    reap(context, 1, &event);
    CHECK(event.obj == &iocb);
    CHECK(event.data == NULL);
    CHECK(event.res == (unsigned long)-EINVAL);
    CHECK(event.res2 == 0);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
