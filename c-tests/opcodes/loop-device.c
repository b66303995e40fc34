// face: libaio
/* O_DIRECT I/O on a loop device (loop(4)), which the kernel does by means of another file: the bytes are right, also if
   requests are left in flight for another thread [A13]. */
// alone: it takes a free loop device
#include <linux/loop.h>
#include <sys/ioctl.h>

#include "iocb.h"
#include "direct.h"

#define N 16

static struct reads left;

static void *reaps(void *context)
{
    struct io_event events[N];

    reap(context, N, events);
    check_reads(&left, events, N);
    return NULL;
}

int main(void)
{
    int file = pattern_file(O_RDWR, BLOCKS * BLOCK, 0), control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), number, device;
    io_context_t context = make_context(64);
    struct io_event events[N];
    pthread_t thread;
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
    read_blocks(context, device, 200, 4);
    for (int round = 0; round < 50; round++) {
        struct iocb iocb, *one = &iocb;

        start_reads(context, device, &left, N);
        reap(context, N, events);
        check_reads(&left, events, N);
        fill_pattern_at(left.buffer, BLOCK, 0, 0);
        io_prep_pwrite(&iocb, device, left.buffer, BLOCK, 0);
        CHECK_INT(io_submit(context, 1, &one), 1);
        reap(context, 1, events);
        CHECK_INT((long)events[0].res, BLOCK);
    }
    read_blocks(context, device, 80, 4);
    start_reads(context, device, &left, N);
    CHECK(pthread_create(&thread, NULL, reaps, context) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(ioctl(device, LOOP_CLR_FD, 0) == 0);
    CHECK(close(device) == 0);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
