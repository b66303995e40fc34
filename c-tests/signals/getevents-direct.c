// face: libaio
/* Signals and timeouts while O_DIRECT requests are in flight [A7]: io_getevents gives EINTR, or the count, when a handler
   ran, with SA_RESTART or not (fs/aio.c; signal(7)). At its timeout it gives what there is, and io_pgetevents lets in what
   its mask says. A handler that uses a context of its own changes none of this. */
#include <sys/time.h>

#include "iocb.h"
#include "direct.h"

#define N 8

static int fd, ends[2];
static io_context_t handlers;
static struct iocb in_handler;
static char *buffer;
static volatile sig_atomic_t handled, submits;
static atomic_int enough;

static void handler(int signal)
{
    int before = errno;
    struct iocb *one = &in_handler;
    struct timespec none = {0, 0};
    struct io_event event;

    (void)signal;
    handled++;
    if (submits == 1) {
        io_prep_pread(one, fd, buffer, BLOCK, 0);
        CHECK_INT(io_submit(handlers, 1, &one), 1);
        submits = 2;
    } else if (submits == 2 && io_getevents(handlers, 0, 1, &event, &none) == 1) {
        CHECK_INT((long)event.res, BLOCK);
        submits = 1;
    }
    errno = before;
}

static void *interrupt(void *thread)
{
    while (!enough && !pthread_kill(*(pthread_t *)thread, SIGUSR1))
        usleep(20000);
    return NULL;
}

int main(void)
{
    struct itimerval every = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
    struct timespec moment = {0, 30000000}, none = {0, 0};
    io_context_t context = make_context(64);
    struct io_event events[N + 1];
    struct reads left = {.buffer = NULL};
    pthread_t self = pthread_self(), thread;
    sigset_t usr1, empty;

    fd = direct_file();
    CHECK(pipe(ends) == 0);
    handlers = make_context(8);
    buffer = aligned(BLOCK);
    sigemptyset(&empty);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    read_blocks(context, fd, 200, 8);

    /* Time limits. */
    for (int round = 0; round < 10; round++) {
        CHECK_INT(io_getevents(context, 1, 1, events, &moment), 0);
        start_reads(context, fd, &left, N);
        /* What there is at its limit: not all of them where the machine is slow. */
        for (long got = 0, more; got < N; got += more) {
            more = io_getevents(context, N + 1 - got, N + 1 - got, events + got, &moment);
            CHECK(more >= 0 && more <= N - got);
        }
        check_reads(&left, events, N);
        CHECK_INT(io_getevents(context, 0, 1, events, &none), 0);
    }

    /* A handler ends the wait for what does not come: nothing is there, or less. */
    for (int round = 0; round < 4; round++) {
        struct sigaction action = {.sa_handler = handler, .sa_flags = round % 2 ? SA_RESTART : 0};
        int ret;

        CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
        enough = 0;
        read_blocks(context, fd, 50, 8);
        CHECK(pthread_create(&thread, NULL, interrupt, &self) == 0);
        if (round < 2)
            CHECK_INT(io_getevents(context, 1, 1, events, NULL), -EINTR);
        start_reads(context, fd, &left, N);
        for (int have = 0; have < N; have += ret) {
            ret = io_getevents(context, N + 1 - have, N + 1 - have, events + have, NULL);
            if (ret == -EINTR)
                ret = 0;
            CHECK(ret >= 0);
            if (have + ret == N)
                check_reads(&left, events, N);
        }
        enough = 1;
        CHECK(pthread_join(thread, NULL) == 0);
        none_left(context);
    }

    /* io_pgetevents lets in what is blocked otherwise. */
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    handled = 0;
    start_reads(context, fd, &left, N);
    CHECK_INT(io_pgetevents(context, N, N, events, NULL, &usr1), N);
    check_reads(&left, events, N);
    raise(SIGUSR1);
    CHECK_INT(handled, 0);
    CHECK_INT(io_pgetevents(context, 1, 1, events, NULL, &empty), -EINTR);
    CHECK_INT(handled, 1);
    pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);

    /* A handler that uses AIO itself, all the time. */
    CHECK_INT(io_destroy(context), 0);
    context = make_context(64);
    submits = 1;
    signal(SIGALRM, handler);
    handled = 0;
    CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
    while (handled < 1000)
        read_blocks(context, fd, 20, 8);
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    if (submits == 2)
        reap(handlers, 1, events);
    none_left(handlers);
    return 0;
}
