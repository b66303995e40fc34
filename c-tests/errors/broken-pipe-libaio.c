// face: libaio
/* A write that nobody reads: besides -EPIPE the thread that submitted gets SIGPIPE, as if it had written itself, also where the last
   reader goes while the write waits [A4] (pipe(7); pipe_write of fs/pipe.c, sk_stream_error of net/core/stream.c). A write to a
   socket with records raises none, nor does one that has moved a part to a socket. */
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "iocb.h"

static pid_t submitter;
static atomic_int here, elsewhere;

static void broken(int number)
{
    (void)number;
    atomic_fetch_add(gettid() == submitter ? &here : &elsewhere, 1);
}

static void makes_pipe(int ends[2])
{
    make_pipe(ends);
}

static void makes_packet_pipe(int ends[2])
{
    MUST(pipe2(ends, O_CLOEXEC | O_DIRECT));
}

static void makes_sockets(int ends[2])
{
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
}

static void makes_record_sockets(int ends[2])
{
    MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
}

static long long writes(io_context_t context, int fd, size_t size)
{
    static char out[1 << 20];
    struct iocb iocb;

    io_prep_pwrite(&iocb, fd, out, size, 0);
    return outcome(context, &iocb);
}

static void signals(int want)
{
    if (want)
        WAIT_UNTIL(atomic_load(&here) + atomic_load(&elsewhere) > 0);
    CHECK_INT(atomic_load(&elsewhere), 0);
    CHECK_INT(atomic_exchange(&here, 0), want);
}

static void is_broken(io_context_t context, void (*make)(int ends[2]), int want)
{
    int ends[2];

    make(ends);
    close(ends[0]);
    CHECK_INT(writes(context, ends[1], 10), -EPIPE);
    signals(want);
    close(ends[1]);
}

/* A child holds the reading end until the write waits, and has read nothing. Where the write could not even begin, it has `error`;
   a socket that breaks before the write waits says EPIPE. */
static void breaks(io_context_t context, void (*make)(int ends[2]), int fills, long long error, int want)
{
    int ends[2], status;
    size_t full = 0;
    long long result;
    pid_t child;

    make(ends);
    if (fills)
        full = fill_up(ends[1]);
    child = MUST(fork());
    if (child == 0) {
        int now = 0;

        close(ends[1]);
        while (now == 0 || thread_state(getppid(), submitter) != 'S') {
            usleep(1000);
            MUST(ioctl(ends[0], FIONREAD, &now));
        }
        _exit(0);
    }
    close(ends[0]);
    result = writes(context, ends[1], 1 << 20);
    if (!full)
        CHECK(result > 0 && result < 1 << 20);
    else if (result != -EPIPE)
        CHECK_INT(result, error);
    signals(full && result == -EPIPE ? 1 : want);
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
    close(ends[1]);
}

static void *all(void *unused)
{
    io_context_t context = make_context(8);

    (void)unused;
    submitter = gettid();
    is_broken(context, makes_pipe, 1);
    is_broken(context, makes_packet_pipe, 1);
    is_broken(context, makes_sockets, 1);
    is_broken(context, makes_record_sockets, 0);
    breaks(context, makes_pipe, 1, -EPIPE, 1);
    breaks(context, makes_pipe, 0, 0, 1);
    breaks(context, makes_sockets, 1, -ECONNRESET, 0);
    breaks(context, makes_sockets, 0, 0, 0);
    CHECK_INT(io_destroy(context), 0);
    return NULL;
}

int main(void)
{
    struct sigaction action = {.sa_handler = broken};
    pthread_t thread;

    alarm(DEADLINE_SECONDS);
    CHECK_INT(sigaction(SIGPIPE, &action, NULL), 0);
    CHECK_INT(pthread_create(&thread, NULL, all, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    return 0;
}
