/* Character devices, eventfd, timerfd and memfd: aio_read and aio_write do what read(2) and write(2) do [B15]. */
#include "aiocb.h"

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/timerfd.h>

int main(void)
{
    static char bytes[1 << 16];
    struct aiocb cb = make_cb(MUST(open("/dev/zero", O_RDWR)), bytes, sizeof bytes, 12345);
    uint64_t count = 0, more = 3;

    memset(bytes, 'x', sizeof bytes);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, sizeof bytes);
    CHECK(is_all(bytes, sizeof bytes, 0));
    CHECK_INT(aio_write(&cb), 0);
    CHECK_DONE(&cb, sizeof bytes);

    cb = make_cb(MUST(open("/dev/null", O_RDWR)), bytes, sizeof bytes, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, 0);
    CHECK_INT(aio_write(&cb), 0);
    CHECK_DONE(&cb, sizeof bytes);

    int fd = MUST(eventfd(0, EFD_CLOEXEC));
    cb = make_cb(fd, &count, sizeof count, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_PENDING(&cb);
    CHECK_INT(write(fd, &more, sizeof more), sizeof more);
    CHECK_DONE(&cb, sizeof count);
    CHECK_INT(count, 3);
    cb = make_cb(fd, &more, sizeof more, 0);
    CHECK_INT(aio_write(&cb), 0);
    CHECK_DONE(&cb, sizeof more);
    CHECK_INT(read(fd, &count, sizeof count), sizeof count);
    CHECK_INT(count, 3);

    fd = MUST(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    cb = make_cb(fd, &count, sizeof count, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_PENDING(&cb);
    MUST(timerfd_settime(fd, 0, &(struct itimerspec){ .it_value = { 0, 1000000 } }, NULL));
    CHECK_DONE(&cb, sizeof count);
    CHECK_INT(count, 1);

    fd = MUST(memfd_create("aio", MFD_CLOEXEC));
    cb = make_cb(fd, "in memory", 9, 100);
    CHECK_INT(aio_write(&cb), 0);
    CHECK_DONE(&cb, 9);
    cb = make_cb(fd, bytes, 109, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, 109);
    CHECK_INT(memcmp(bytes + 100, "in memory", 9), 0);
    CHECK(is_all(bytes, 100, 0));
    return 0;
}
