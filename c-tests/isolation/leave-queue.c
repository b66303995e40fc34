// face: libaio
// columns: oracle preload engine threads -- the others have the lanes of these
/* io_queue_run, its callback included, or io_queue_wait is left in the middle again and again, by siglongjmp out of a signal
   handler, by deferred and by asynchronous cancellation, while another thread does I/O. Afterwards the context takes requests
   and completes them, and can be released; the other thread's I/O goes on, close, dup2, fcntl and munmap work, and exit and
   _exit end.

   [D7] An event that io_queue_run has taken and not passed on goes with it, in libaio as well. */
#include "departures.h"

#define BATCH 4
#define ROOM 64

static struct {
    io_context_t context;
    unsigned char *buffer;
    struct iocb *iocbs;
    int fd, next;
} state;

static void called(io_context_t context, struct iocb *iocb, long res, long res2)
{
    (void)iocb;
    CHECK(context == state.context);
    CHECK_INT(res, BLOCK);
    CHECK_INT(res2, 0);
}

static void set_up(void)
{
    state.fd = scratch_file("file", O_RDWR, BLOCK, 1);
    state.buffer = new_pages(BLOCK);
    state.iocbs = new_pages((2 * ATTEMPTS + ROOM) * BATCH * sizeof *state.iocbs);
    CHECK_INT(io_queue_init(ROOM, &state.context), 0);
}

static void submits(void)
{
    for (int i = 0; i < BATCH; i++) {
        struct iocb *iocb = &state.iocbs[state.next++];

        io_prep_pread(iocb, state.fd, state.buffer, BLOCK, 0);
        io_set_callback(iocb, called);
        submit_one(state.context, iocb);
    }
}

static void calls_run(void)
{
    io_queue_run(state.context);
}

/* libaio.h has it no longer. */
int io_queue_wait(io_context_t context, struct timespec *timeout);

static void calls_wait(void)
{
    struct timespec limit = { 0, 300000 };

    io_queue_wait(state.context, &limit);
}

static void settle(int left)
{
    (void)left;
    CHECK_INT(io_queue_run(state.context), 0);
}

static void check(void)
{
    struct io_event event;
    int mine = 0;

    STEP("requests after the departures");
    submits();
    while (mine < BATCH) {
        reap(state.context, 1, &event);
        mine += event.obj >= &state.iocbs[state.next - BATCH];
    }
    CHECK_INT(io_queue_release(state.context), 0);
}

#define RUNS(name, function)                                                                                           \
    {                                                                                                                  \
        .call = name, .set_up = set_up, .before = submits, .armed = function, .settle = settle, .check = check         \
    }

int main(void)
{
    static const struct departure tests[] = {
        RUNS("io_queue_run", calls_run),
        RUNS("io_queue_wait", calls_wait),
    };

    return run_table_of_departures(tests, sizeof tests / sizeof *tests);
}
