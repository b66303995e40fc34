/* The body of datagram-shut-down-posix.c and datagram-shut-down-libaio.c, which say what it does. */
#include "one-request.h"

#include <sys/socket.h>

#include "process.h"

static pid_t reader;

static void *shuts_down(void *socket)
{
    WAIT_UNTIL(thread_state(getpid(), reader) == 'S');
    MUST(shutdown(*(int *)socket, SHUT_RD));
    return NULL;
}

int main(void)
{
    int ends[2];
    char in[8];
    pthread_t thread;

    start_deadline();
    STEP("a read that waits while the socket is shut down");
    MUST(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends));
    reader = gettid();
    CHECK_INT(pthread_create(&thread, NULL, shuts_down, &ends[0]), 0);
    CHECK_INT(one_request(ONE_READ, ends[0], in, sizeof in, 0), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    STEP("a read of a socket that is shut down");
    CHECK_INT(one_request(ONE_READ, ends[0], in, sizeof in, 0), 0);
    return 0;
}
