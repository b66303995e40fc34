// face: libaio
/* io_queue_wait@LIBAIO_0.1 and the default io_queue_wait@@LIBAIO_0.4 take no events and so never wait [A14] [C9] (both are
   io_getevents(0, 0, NULL, timeout)). */
#include "iocb.h"

int old_queue_wait(io_context_t context, struct timespec *timeout);
int queue_wait(io_context_t context, struct timespec *timeout);
__asm__(".symver old_queue_wait, io_queue_wait@LIBAIO_0.1");
__asm__(".symver queue_wait, io_queue_wait@LIBAIO_0.4");

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);
    io_context_t context = make_context(8);
    struct timespec now = {0, 0}, hour = {3600, 0};
    struct iocb iocb;
    char buffer[16];

    io_prep_pread(&iocb, fd, buffer, 16, 0);
    for (int round = 0; round < 2; round++) {
        CHECK_INT(old_queue_wait(context, &now), 0);
        CHECK_INT(old_queue_wait(context, &hour), 0);
        CHECK_INT(old_queue_wait(context, NULL), 0);
        CHECK_INT(queue_wait(context, &now), 0);
        CHECK_INT(queue_wait(context, &hour), 0);
        CHECK_INT(queue_wait(context, NULL), 0);
        submit_one(context, &iocb);
        WAIT_UNTIL(ring_ready(context) == (unsigned)round + 1);
    }
    CHECK_INT(ring_ready(context), 2);
    CHECK_INT(old_queue_wait(NULL, NULL), -EINVAL);
    CHECK_INT(queue_wait(NULL, NULL), -EINVAL);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
