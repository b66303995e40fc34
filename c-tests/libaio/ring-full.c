/* A ring that nobody reaps fills up, io_submit then says EAGAIN, no event is lost or overwritten, and after reaping
 * there is room again (A1, A10; fs/aio.c counts unreaped events). */
#include "libaio-test.h"

int main(void)
{
    int fd = scratch(O_RDWR, 4096);
    io_context_t context = context_of(16);
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
        EQ(ret, -EAGAIN);
        CHECK(count >= 16);
        CHECK(count <= (int)ring->nr - 1);
        WAIT_FOR(ring_ready(context) == (unsigned)count);
        for (int i = 0; i < count; i++) {
            struct io_event event;

            if (round % 2) {
                CHECK(ring_take(context, &event));
            } else {
                reap(context, 1, &event);
            }
            CHECK(event.obj >= iocbs && event.obj < iocbs + count);
            EQ((uintptr_t)event.data, round * 10000 + (event.obj - iocbs));
            EQ((long)event.res, 512);
            event.obj->data = NULL;
        }
        for (int i = 0; i < count; i++)
            CHECK(iocbs[i].data == NULL);
        none_left(context);
    }
    EQ(io_destroy(context), 0);
    return 0;
}
