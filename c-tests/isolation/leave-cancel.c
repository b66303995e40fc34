// face: libaio
// columns: oracle preload engine threads -- the others have the lanes of these
// sleeps: its rounds wait for signals, threads and ends of processes
/* io_cancel of a poll that would wait for ever is left in the middle again and again, by siglongjmp out of a signal handler,
   by deferred and by asynchronous cancellation, while another thread does I/O; by name and by number. The poll has one event,
   and the context can be destroyed. The other thread's I/O goes on, close, dup2, fcntl and munmap work, and exit and _exit
   end.

   [D7] */
#include "departures.h"

static struct {
    io_context_t context;
    struct iocb poll;
    struct io_event answer;
    int ends[2];
} state;

static void set_up(void)
{
    make_pipe(state.ends);
    state.context = make_context(8);
}

static void before(void)
{
    io_prep_poll(&state.poll, state.ends[0], POLLIN);
    submit_one(state.context, &state.poll);
}

static void calls_cancel(void)
{
    io_cancel(state.context, &state.poll, &state.answer);
}

int old_cancel(io_context_t context, struct iocb *iocb, struct io_event *event);
__asm__(".symver old_cancel, io_cancel@LIBAIO_0.1");

static void calls_old_cancel(void)
{
    old_cancel(state.context, &state.poll, &state.answer);
}

static void calls_by_number(void)
{
    syscall(SYS_io_cancel, state.context, &state.poll, &state.answer);
}

static void settle(int left)
{
    struct timespec no_time = { 0, 0 };
    struct io_event event;

    (void)left;
    io_cancel(state.context, &state.poll, &event);
    reap(state.context, 1, &event);
    CHECK(event.obj == &state.poll);
    CHECK_INT(io_getevents(state.context, 0, 1, &event, &no_time), 0);
}

static void check(void)
{
    STEP("io_destroy of the context whose calls were left");
    CHECK_INT(io_destroy(state.context), 0);
}

#define CANCELS(name, function)                                                                                        \
    {                                                                                                                  \
        .call = name, .set_up = set_up, .before = before, .armed = function, .settle = settle, .check = check          \
    }

int main(void)
{
    static const struct departure tests[] = {
        CANCELS("io_cancel", calls_cancel),
        CANCELS("io_cancel@LIBAIO_0.1", calls_old_cancel),
        CANCELS("syscall(SYS_io_cancel)", calls_by_number),
    };

    return run_table_of_departures(tests, sizeof tests / sizeof *tests);
}
