// face: libaio
/* As many polls as the process may have descriptors, and more, wait for something that does not come. Polls, reads of pipes and
   writes of files that are submitted behind them are done all the same, and so are those that can be done only later.

   [D1] The rule: a request that waits delays no other. io_submit(2): the kernel's AIO holds files without descriptors. */
#include "behaviour.h"
#include "iocb.h"

#include <poll.h>
#include <sys/resource.h>

#define LIMIT 256
#define NEVER 600
#define LATER 50

static struct iocb never[NEVER], later[LATER];
static int ends[LATER][2];

int main(void)
{
    struct rlimit limit = { LIMIT, LIMIT };
    int quiet, file, pair[2];
    io_context_t context, others;
    struct io_event events[LATER];
    struct iocb iocb;
    char byte = 'x';

    start_deadline();
    MUST(setrlimit(RLIMIT_NOFILE, &limit));
    quiet = MUST(eventfd(0, EFD_CLOEXEC));
    file = scratch_file("file", O_RDWR | O_APPEND, 4096, 1);
    context = make_context(NEVER + LATER);
    others = make_context(4);
    STEP("polls that never end");
    for (int i = 0; i < NEVER; i++) {
        io_prep_poll(&never[i], quiet, POLLIN);
        submit_one(context, &never[i]);
    }
    STEP("a poll of what is ready");
    make_pipe(pair);
    io_prep_poll(&iocb, pair[1], POLLOUT);
    CHECK_INT(outcome(others, &iocb), POLLOUT);
    STEP("a write of a file");
    io_prep_pwrite(&iocb, file, &byte, 1, 0);
    CHECK_INT(outcome(others, &iocb), 1);
    STEP("an fsync");
    io_prep_fsync(&iocb, file);
    CHECK_INT(outcome(others, &iocb), 0);
    STEP("polls that end later");
    for (int i = 0; i < LATER; i++) {
        make_pipe(ends[i]);
        io_prep_poll(&later[i], ends[i][0], POLLIN);
        submit_one(context, &later[i]);
    }
    for (int i = 0; i < LATER; i++)
        CHECK_INT(write(ends[i][1], "x", 1), 1);
    reap(context, LATER, events);
    for (int i = 0; i < LATER; i++)
        CHECK(events[i].obj >= later && events[i].obj < later + LATER && events[i].res & POLLIN);
    STEP("exit");
    return 0;
}
