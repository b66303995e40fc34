/* The body of socket-send-timeout-posix.c and socket-send-timeout-libaio.c, which say what it does. */
#include "one-request.h"

#define SIZE (8 << 20) /* more than a socket's buffers hold */

int main(void)
{
    struct timeval limit = { 0, 200000 };
    unsigned char *bytes;
    long long taken;
    int ends[2];

    start_deadline();
    bytes = new_pages(SIZE);
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
    MUST(setsockopt(ends[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
    STEP("a write with SO_SNDTIMEO of which a part is taken");
    taken = one_request(ONE_WRITE, ends[0], bytes, SIZE, 0);
    if (taken <= 0 || taken >= SIZE)
        FAIL("a write of %d bytes to a socket that nobody reads gives %lld", SIZE, taken);
    STEP("a write with SO_SNDTIMEO of which nothing is taken");
    CHECK_INT(one_request(ONE_WRITE, ends[0], bytes, SIZE, 0), -EAGAIN);
    return 0;
}
