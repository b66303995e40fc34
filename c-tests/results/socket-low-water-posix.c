// face: posix
/* A read of a TCP socket with SO_RCVLOWAT of 10 is not done while 4 bytes are there; it is done with all bytes when
   there are more, or with fewer when the other end has closed.

   [F4] socket(7), SO_RCVLOWAT: a receive call blocks until that many bytes are there; aio_read(3): the result is that
   of read(2). */
#include "aiocb.h"
#include "behaviour.h"
#include "tcp-pair.h"

int main(void)
{
    char buffer[64];
    struct aiocb cb;
    int ends[2], other, low = 10;

    start_deadline();
    tcp_pair(ends);
    MUST(setsockopt(ends[0], SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low));
    cb = make_cb(ends[0], buffer, sizeof buffer, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_INT(write(ends[1], "1234", 4), 4);
    /* Whatever goes by readiness has seen the bytes by the time that a request made after them is done. */
    other = scratch_file("other", O_RDWR | O_DIRECT, 4096, 1);
    for (int i = 0; i < 20; i++) {
        struct aiocb after = make_cb(other, new_pages(4096), 4096, 0);

        CHECK_INT(aio_read(&after), 0);
        CHECK_DONE(&after, 4096);
        CHECK_PENDING(&cb);
    }
    STEP("a read whose low-water mark is reached");
    /* Ten more: Linux wakes a reader that has taken the four when as many are there as the mark says. */
    CHECK_INT(write(ends[1], "5678901234", 10), 10);
    CHECK_DONE(&cb, 14);
    CHECK(memcmp(buffer, "12345678901234", 14) == 0);
    STEP("a read whose low-water mark will not be reached");
    cb = make_cb(ends[0], buffer, sizeof buffer, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_INT(write(ends[1], "abc", 3), 3);
    close(ends[1]);
    CHECK_DONE(&cb, 3);
    return 0;
}
