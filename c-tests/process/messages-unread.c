/* What the library has to say of itself, where it is asked to, neither ends nor delays a program whose standard error nobody
   reads: a pipe that is full, or without a reader [C3]. */
#include "aiocb.h"
#include "behaviour.h"
#include "process.h"

static int aio_once(void)
{
    char in[8];
    struct aiocb cb = make_cb(pattern_file(O_RDWR, 4096, 0), in, sizeof in, 0);

    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, sizeof in);
    return 0;
}

/* Runs the program again with this end of a pipe as its standard error. */
static void run(int standard_error, const char *what)
{
    pid_t child = fork_child();
    int status;

    if (child == 0) {
        MUST(dup2(standard_error, STDERR_FILENO));
        setenv("URINGAIO_LOG", "1", 1);
        setenv("URINGAIO_STATS", "1", 1);
        execl("/proc/self/exe", "/proc/self/exe", "again", NULL);
        END_PROCESS(3);
    }
    status = await_child(child);
    if (status)
        FAIL("%s: wait status %#x", what, status);
}

int main(int argc, char **argv)
{
    static const char zeros[4096];
    int full[2], unread[2];

    (void)argv;
    if (argc > 1)
        return aio_once();
    start_deadline();
    signal(SIGPIPE, SIG_DFL);

    MUST(pipe(unread));
    close(unread[0]);
    run(unread[1], "a pipe without a reader");

    MUST(pipe(full));
    MUST(fcntl(full[1], F_SETFL, O_NONBLOCK));
    while (write(full[1], zeros, sizeof zeros) > 0)
        ;
    CHECK_INT(errno, EAGAIN);
    MUST(fcntl(full[1], F_SETFL, 0));
    run(full[1], "a full pipe");
    return 0;
}
