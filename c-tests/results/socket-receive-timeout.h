/* The body of socket-receive-timeout-posix.c and socket-receive-timeout-libaio.c, which say what it does. */
#include "one-request.h"

int main(void)
{
    struct timeval limit = { 0, 200000 };
    int ends[2];
    char byte;

    start_deadline();
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
    MUST(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    STEP("a read with SO_RCVTIMEO");
    CHECK_INT(one_request(ONE_READ, ends[0], &byte, 1, 0), -EAGAIN);
    /* It has a time limit again, and bytes that are there are read. */
    CHECK_INT(one_request(ONE_READ, ends[0], &byte, 1, 0), -EAGAIN);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_INT(one_request(ONE_READ, ends[0], &byte, 1, 0), 1);
    return 0;
}
