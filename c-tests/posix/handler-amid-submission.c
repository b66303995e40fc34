/* A handler that changes O_APPEND of a file, which an implementation of AIO may have to ask its own thread about, returns also
   where it has interrupted aio_read just before that thread was woken (POSIX.1 2.4.3: fcntl is async-signal-safe). */
#include <sys/time.h>

#include "aiocb.h"

#define MANY 20000
#define SECONDS 8

static int other;
static volatile sig_atomic_t handled;

static void handler(int signal)
{
    int before = errno;

    (void)signal;
    handled++;
    fcntl(other, F_SETFL, handled % 2 ? O_APPEND : 0);
    errno = before;
}

int main(void)
{
    struct itimerval every = { { 0, 100 }, { 0, 100 } };
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
    int64_t end = now_ns() + SECONDS * 1000000000LL;
    int ends[2];
    char in;

    other = temp_file(0);
    make_pipe(ends);
    MUST(sigaction(SIGALRM, &action, NULL));
    MUST(setitimer(ITIMER_REAL, &every, NULL));
    /* The implementation's thread has nothing to do before each request, and may sleep. */
    while (handled < MANY && now_ns() < end) {
        struct aiocb cb = make_cb(ends[0], &in, 1, 0);

        CHECK_INT(aio_read(&cb), 0);
        CHECK_INT(write(ends[1], "x", 1), 1);
        CHECK_DONE(&cb, 1);
    }
    CHECK(handled > 0);
    return 0;
}
