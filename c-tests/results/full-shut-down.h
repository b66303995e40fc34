/* The body of full-shut-down-posix.c and full-shut-down-libaio.c, which say what it does. */
#include "one-request.h"

#include <sys/socket.h>

#include "process.h"

static pid_t writer;

struct shut_down {
    int socket, how;
};

static void *shuts_down(void *argument)
{
    struct shut_down *it = argument;

    WAIT_UNTIL(thread_state(getpid(), writer) == 'S');
    MUST(shutdown(it->socket, it->how));
    return NULL;
}

/* A write to a full socket of this type, which is shut down at its own end or at the other. */
static void write_and_shut_down(int type, int at_other_end)
{
    int ends[2];
    static char out[8];
    pthread_t thread;
    struct shut_down it;

    MUST(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends));
    fill_up(ends[0]);
    it = (struct shut_down){ends[at_other_end], at_other_end ? SHUT_RD : SHUT_WR};
    CHECK_INT(pthread_create(&thread, NULL, shuts_down, &it), 0);
    CHECK_INT(one_request(ONE_WRITE, ends[0], out, sizeof out, 0), -EPIPE);
    CHECK_INT(pthread_join(thread, NULL), 0);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    start_deadline();
    signal(SIGPIPE, SIG_IGN);
    writer = gettid();
    STEP("a write that waits while its socket is shut down");
    write_and_shut_down(SOCK_STREAM, 0);
    write_and_shut_down(SOCK_SEQPACKET, 0);
    write_and_shut_down(SOCK_DGRAM, 0);
    STEP("a write that waits while the other end is shut down");
    write_and_shut_down(SOCK_STREAM, 1);
    write_and_shut_down(SOCK_SEQPACKET, 1);
    return 0;
}
