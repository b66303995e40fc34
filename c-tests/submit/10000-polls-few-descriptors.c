// face: libaio
/* 10,000 polls, each on an eventfd of its own, of a process whose soft limit on descriptors was lowered to 1024 after it
   had opened them: all are outstanding at once and end. Reads and writes of files go on meanwhile. Afterwards, and as soon
   as they all wait, the limit is what the program set.

   [A10] [A11] io_setup(2): a context has room for as many requests as it was made for; [C2] getrlimit(2). The kernel's AIO
   holds files without descriptors. */
#include "behaviour.h"
#include "iocb.h"

#include <poll.h>
#include <sys/resource.h>

#define N 10000
#define SOFT 1024

static struct iocb polls[N], *list[N];
static struct io_event events[N];
static int eventfds[N];
static char seen[N];

static int limit_is_own(void)
{
    struct rlimit limit;

    MUST(getrlimit(RLIMIT_NOFILE, &limit));
    return limit.rlim_cur == SOFT;
}

int main(void)
{
    struct rlimit limit;
    io_context_t context, others;
    struct iocb iocb;
    char byte = 'x';
    int file;

    start_deadline();
    file = scratch_file("file", O_RDWR | O_APPEND, 4096, 1);
    MUST(getrlimit(RLIMIT_NOFILE, &limit));
    if (limit.rlim_max < 2 * N)
        SKIP("the hard limit on descriptors is %lu", (unsigned long)limit.rlim_max);
    limit.rlim_cur = 2 * N;
    MUST(setrlimit(RLIMIT_NOFILE, &limit));
    for (int i = 0; i < N; i++)
        eventfds[i] = MUST(eventfd(0, EFD_CLOEXEC));
    limit.rlim_cur = SOFT;
    MUST(setrlimit(RLIMIT_NOFILE, &limit));
    context = make_context(N);
    others = make_context(4);
    for (int i = 0; i < N; i++) {
        list[i] = &polls[i];
        io_prep_poll(&polls[i], eventfds[i], POLLIN);
    }
    STEP("the polls being submitted");
    CHECK_INT(io_submit(context, N, list), N);
    CHECK_INT(io_getevents(context, 0, N, events, &(struct timespec){ 0, 0 }), 0);
    /* The limit may be another for a moment, while the files are taken over. */
    WAIT_UNTIL(limit_is_own());
    STEP("a write beside them");
    io_prep_pwrite(&iocb, file, &byte, 1, 0);
    CHECK_INT(outcome(others, &iocb), 1);
    STEP("the polls");
    for (int i = 0; i < N; i++)
        MUST(eventfd_write(eventfds[i * 7 % N], 1));
    reap(context, N, events);
    for (int i = 0; i < N; i++) {
        long which = events[i].obj - polls;

        CHECK(which >= 0 && which < N && !seen[which]);
        CHECK(events[i].res & POLLIN);
        seen[which] = 1;
    }
    CHECK(limit_is_own());
    STEP("exit");
    return 0;
}
