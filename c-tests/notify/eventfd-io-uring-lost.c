/* A seccomp filter that the library cannot see coming takes io_uring away while requests are in flight: each of them, and each
   that comes after, counts by its eventfd, whether it ends well or with EIO [B19] [C5]. */
// links: uringaio
#include "aiocb.h"
#include "memory.h"
#include "raw-seccomp.h"

#include <poll.h>
#include <sys/eventfd.h>

#define N 64
#define BLOCK 65536

int main(void)
{
    static struct aiocb cb[3 * N];
    char *in = aligned((size_t)N * BLOCK);
    int direct = pattern_file(O_RDWR | O_DIRECT, 16 * BLOCK, 0), counter = MUST(eventfd(0, EFD_CLOEXEC));
    unsigned long long counted = 0, count;

    for (int i = 0; i < 3 * N; i++) {
        /* The engine has something to do from the first on; the filter comes while it does. */
        if (i == N)
            take_io_uring_away();
        cb[i] = make_cb(direct, in + (size_t)(i % N) * BLOCK, BLOCK, i % 16 * BLOCK);
        uringaio_sigevent_eventfd(&cb[i].aio_sigevent, counter);
        CHECK_INT(aio_read(&cb[i]), 0);
    }
    while (counted < 3 * N) {
        struct pollfd readable = { counter, POLLIN, 0 };

        CHECK_INT(poll(&readable, 1, DEADLINE_SECONDS * 1000), 1);
        CHECK_INT(read(counter, &count, sizeof count), 8);
        counted += count;
    }
    CHECK_INT(counted, 3 * N);
    for (int i = 0; i < 3 * N; i++) {
        AWAIT_CB(&cb[i]);
        if (aio_error(&cb[i]) != EIO)
            CHECK_DONE(&cb[i], BLOCK);
    }
    return 0;
}
