/* A thread that waits for its own requests on a loop device (loop(4)), which does them in the kernel by another file: they are
 * read and written right, left in flight too, and while the device goes away. */
// alone: it takes a free loop device
#include <linux/loop.h>
#include <sys/ioctl.h>

#include "prove.h"

#define N 16

int main(void)
{
    int file = scratch(O_RDWR, BLOCKS * BLOCK), control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), number, device;
    io_context_t context = context_of(64);
    struct io_event events[N];
    struct left left = {.buffer = NULL};
    char path[64];

    if (control < 0)
        SKIP("/dev/loop-control: %s", strerror(errno));
    number = ioctl(control, LOOP_CTL_GET_FREE);
    if (number < 0)
        SKIP("no free loop device: %s", strerror(errno));
    snprintf(path, sizeof(path), "/dev/loop%d", number);
    device = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
    if (device < 0 || ioctl(device, LOOP_SET_FD, file) != 0)
        SKIP("%s: %s", path, strerror(errno));
    prove(context, device, 200, 4);
    for (int round = 0; round < 50; round++) {
        struct iocb iocb, *one = &iocb;

        leave(context, device, &left, N);
        reap(context, N, events);
        check_left(&left, events, N);
        fill(left.buffer, BLOCK, 0);
        io_prep_pwrite(&iocb, device, left.buffer, BLOCK, 0);
        EQ(io_submit(context, 1, &one), 1);
        reap(context, 1, events);
        EQ((long)events[0].res, BLOCK);
    }
    leave(context, device, &left, N);
    CHECK(ioctl(device, LOOP_CLR_FD, 0) == 0);
    CHECK(close(device) == 0);
    reap(context, N, events);
    check_left(&left, events, N);
    EQ(io_destroy(context), 0);
    return 0;
}
