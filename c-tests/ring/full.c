// face: libaio
/* A ring that is not read fills up, io_submit then says EAGAIN, no event is lost or overwritten, and after reaping
   there is room again [A1] [A10] (fs/aio.c counts unreaped events). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);
    io_context_t context = make_context(16);
    struct ring *ring = ring_of(context);
    static struct iocb iocbs[4096];
    char buffer[512];

    for (int round = 0; round < 20; round++) {
        int count = 0, ret;

        for (;;) {
            struct iocb *one = &iocbs[count];

            CHECK(count < (int)ring->nr);
            io_prep_pread(one, fd, buffer, 512, 0);
            one->data = (void *)(uintptr_t)(round * 10000 + count);
            ret = io_submit(context, 1, &one);
            if (ret != 1)
                break;
            count++;
        }
        CHECK_INT(ret, -EAGAIN);
        CHECK(count >= 16);
        CHECK(count <= (int)ring->nr - 1);
        WAIT_UNTIL(ring_ready(context) == (unsigned)count);
        for (int i = 0; i < count; i++) {
            struct io_event event;

            if (round % 2) {
                CHECK(ring_take(context, &event));
            } else {
                reap(context, 1, &event);
            }
            CHECK(event.obj >= iocbs && event.obj < iocbs + count);
            CHECK_INT((uintptr_t)event.data, round * 10000 + (event.obj - iocbs));
            CHECK_INT((long)event.res, 512);
            event.obj->data = NULL;
        }
        for (int i = 0; i < count; i++)
            CHECK(iocbs[i].data == NULL);
        none_left(context);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
