/* A seccomp filter on the three calls of io_uring, as service managers and containers set it: it kills, traps or
   refuses. */
#ifndef IO_URING_FILTER_H
#define IO_URING_FILTER_H

#include <linux/audit.h>

#include "one-request.h"
#include "refuse-io-uring.h"
#include "seccomp-filter.h"

static const struct {
    const char *name;
    unsigned action;
} filter_actions[] = {
    { "SECCOMP_RET_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS },
    { "SECCOMP_RET_KILL_THREAD", SECCOMP_RET_KILL_THREAD },
    { "SECCOMP_RET_TRAP", SECCOMP_RET_TRAP },
    { "EPERM", SECCOMP_RET_ERRNO | EPERM },
    { "ENOSYS", SECCOMP_RET_ERRNO | ENOSYS },
};

#define FILTER_ACTIONS ((int)(sizeof filter_actions / sizeof filter_actions[0]))

/* Sets it for this process, through the C library. */
static inline void filter_io_uring(unsigned action)
{
    struct sock_filter filter[] = REFUSE_IO_URING(action);

    set_filter((struct sock_fprog){ sizeof filter / sizeof *filter, filter });
}

static volatile sig_atomic_t filter_trapped;

static inline void filter_trap(int signal)
{
    (void)signal;
    filter_trapped++;
}

/* What SECCOMP_RET_TRAP would run: it must not. */
static inline void filter_watch(void)
{
    set_handler(SIGSYS, filter_trap, SA_RESTART);
}

/* Requests of every kind under such a filter: all are done, and no handler has run. */
static inline void filtered_requests(void)
{
    unsigned char *buffer = new_pages(4096);
    int direct, cached, ends[2];

    direct = scratch_file("direct", O_RDWR | O_DIRECT, 4096, 1);
    cached = scratch_file("cached", O_RDWR, 4096, 1);
    make_pipe(ends);
    for (int i = 0; i < 100; i++) {
        STEP("reads, writes and fsyncs of a file");
        CHECK_INT(one_request(ONE_READ, direct, buffer, 4096, 0), 4096);
        CHECK_INT(one_request(ONE_WRITE, direct, buffer, 4096, 0), 4096);
        CHECK_INT(one_request(ONE_READ, cached, buffer, 4096, 0), 4096);
        CHECK_INT(one_request(ONE_WRITE, cached, buffer, 4096, 0), 4096);
        CHECK_INT(one_request(ONE_FSYNC, cached, NULL, 0, 0), 0);
        STEP("a write and a read of a pipe");
        CHECK_INT(one_request(ONE_WRITE, ends[1], buffer, 1, 0), 1);
        CHECK_INT(one_request(ONE_READ, ends[0], buffer, 1, 0), 1);
    }
    close(direct);
    close(cached);
    CHECK_INT(filter_trapped, 0);
}

/* Does `work` with each filter, in a process of its own, which ends by it. What main returns. */
static inline int with_each_filter(void (*work)(unsigned action))
{
    start_deadline();
    for (int i = 0; i < FILTER_ACTIONS; i++) {
        pid_t child = fork_child();
        int status;

        if (child == 0) {
            work(filter_actions[i].action);
            STEP("exit");
            exit(0);
        }
        STEP(filter_actions[i].name);
        status = await_child(child);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
            return 77;
        if (status)
            FAIL("under a filter with %s: wait status %#x", filter_actions[i].name, status);
    }
    return 0;
}

#endif
