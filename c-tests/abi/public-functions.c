/* The functions of uringaio.h: the version, what serves, and the counters, of which a program that knows fewer is given those, and
   one that knows more finds 0 in the rest [C9]. */
// links: uringaio
#include "aiocb.h"

#include <uringaio.h>

#define MORE 64

int main(void)
{
    union {
        struct uringaio_counters counters;
        unsigned char bytes[sizeof(struct uringaio_counters) + MORE];
    } more, fewer;
    size_t size = sizeof more.counters, part = offsetof(struct uringaio_counters, failed);
    int major, minor, patch;
    char byte;
    struct aiocb cb = make_cb(pattern_file(O_RDWR, 100, 0), &byte, 1, 0);

    CHECK_INT(sscanf(uringaio_version(), "%d.%d.%d", &major, &minor, &patch), 3);
    CHECK_INT(uringaio_serves(), 1);
    CHECK(uringaio_engine() == URINGAIO_IO_URING || uringaio_engine() == URINGAIO_THREADS);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, 1);
    memset(&more, 0xa5, sizeof more);
    CHECK_INT((long long)uringaio_read_counters(&more.counters, sizeof more), (long long)size);
    CHECK_INT((long long)more.counters.submitted[0], 1);
    CHECK_INT((long long)more.counters.bytes_read, 1);
    CHECK(is_all(more.bytes + size, MORE, 0));
    memset(&fewer, 0xa5, sizeof fewer);
    CHECK_INT((long long)uringaio_read_counters(&fewer.counters, part), (long long)size);
    CHECK_INT(memcmp(&more, &fewer, part), 0);
    CHECK(is_all(fewer.bytes + part, sizeof fewer - part, 0xa5));
    CHECK_INT((long long)uringaio_read_counters(NULL, 0), (long long)size);
    return 0;
}
