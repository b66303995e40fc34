// face: libaio
/* A handler that calls io_getevents on the context that its thread was using, and io_submit on another, returns at whatever
   moment it runs, also if another thread has just begun to use that context. No event is lost or comes twice [A7] [D8]. */
#include <sys/time.h>

#include "iocb.h"
#include "direct.h"

#define N 8
#define ROUNDS 400

static volatile io_context_t context;
static volatile sig_atomic_t taken;
static volatile int seen[N];
static struct reads left;
static int fd;

static void count(const struct io_event *events, int got)
{
    for (int i = 0; i < got; i++) {
        long which = events[i].obj - left.iocbs;

        CHECK(which >= 0 && which < N);
        seen[which]++;
        CHECK_INT((long)events[i].res, BLOCK);
    }
    taken += got;
}

static void handler(int number)
{
    struct timespec now = {0, 0};
    struct io_event events[2];
    int before = errno, got;

    (void)number;
    if (context) {
        /* Also while this thread's own call is just taking some out. */
        got = io_getevents(context, 0, 2, events, &now);
        CHECK(got >= 0);
        if (got > 0)
            count(events, got);
    }
    errno = before;
}

static void *begins_to_use(void *its)
{
    struct timespec now = {0, 0};
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    CHECK_INT(io_getevents(its, 0, 0, NULL, &now), 0);
    return NULL;
}

int main(void)
{
    struct itimerval every = {{0, 150}, {0, 150}}, never = {{0, 0}, {0, 0}};

    fd = direct_file();
    alarm(DEADLINE_SECONDS);
    signal(SIGVTALRM, handler);
    for (int round = 0; round < ROUNDS; round++) {
        io_context_t own = make_context(64);
        sigset_t set;
        pthread_t thread;

        read_blocks(own, fd, 20, 4);
        taken = 0;
        memset((void *)seen, 0, sizeof(seen));
        sigemptyset(&set);
        sigaddset(&set, SIGVTALRM);
        CHECK(setitimer(ITIMER_VIRTUAL, &every, NULL) == 0);
        start_reads(own, fd, &left, N);
        context = own;
        if (round % 4 == 0)
            CHECK(pthread_create(&thread, NULL, begins_to_use, own) == 0);
        while (taken < N) {
            struct timespec moment = {0, 100000};
            struct io_event events[N];
            int got = io_getevents(own, 1, N, events, &moment);

            CHECK(got >= 0 || got == -EINTR);
            pthread_sigmask(SIG_BLOCK, &set, NULL);
            if (got > 0)
                count(events, got);
            pthread_sigmask(SIG_UNBLOCK, &set, NULL);
        }
        CHECK(setitimer(ITIMER_VIRTUAL, &never, NULL) == 0);
        context = NULL;
        if (round % 4 == 0)
            CHECK(pthread_join(thread, NULL) == 0);
        for (int i = 0; i < N; i++)
            CHECK_INT(seen[i], 1);
        none_left(own);
        CHECK_INT(io_destroy(own), 0);
    }
    return 0;
}
