// face: libaio
// columns: oracle preload engine threads -- the others have the lanes of these
/* fcntl(F_SETFL) that changes O_DIRECT of a file with a request in flight is left in the middle again and again, by siglongjmp
   out of a signal handler, by deferred and by asynchronous cancellation, while another thread does I/O; by name and by
   number. Afterwards every context can be destroyed, the other thread's I/O goes on, close, dup2, fcntl and munmap work, and
   exit and _exit end.

   [D7] The rule: POSIX lists the call among the async-signal-safe functions, so that a handler may interrupt it
   anywhere and leave; afterwards the call has happened or it has not, and nothing else of the process is touched. */
#include "departures.h"

static struct {
    io_context_t context;
    unsigned char *buffer;
    struct iocb iocb;
    int fd;
} state;

static void set_up(void)
{
    state.fd = scratch_file("file", O_RDWR | O_DIRECT, BLOCK, 1);
    state.buffer = new_pages(BLOCK);
    state.context = make_context(8);
}

static void before(void)
{
    MUST(fcntl(state.fd, F_SETFL, O_DIRECT));
    io_prep_pread(&state.iocb, state.fd, state.buffer, BLOCK, 0);
    submit_one(state.context, &state.iocb);
}

static void calls_fcntl(void)
{
    fcntl(state.fd, F_SETFL, 0);
}

static void calls_fcntl64(void)
{
    fcntl64(state.fd, F_SETFL, 0);
}

static void calls_by_number(void)
{
    syscall(SYS_fcntl, (long)state.fd, (long)F_SETFL, 0L);
}

static void settle(int left)
{
    struct io_event event;

    (void)left;
    reap(state.context, 1, &event);
    CHECK_INT((long)event.res, BLOCK);
}

static void check(void)
{
    CHECK_INT(io_destroy(state.context), 0);
}

#define CHANGES(name, function)                                                                                        \
    {                                                                                                                  \
        .call = name, .set_up = set_up, .before = before, .armed = function, .settle = settle, .check = check          \
    }

int main(void)
{
    static const struct departure tests[] = {
        CHANGES("fcntl(F_SETFL)", calls_fcntl),
        CHANGES("fcntl64(F_SETFL)", calls_fcntl64),
        CHANGES("syscall(SYS_fcntl)", calls_by_number),
    };

    return run_table_of_departures(tests, sizeof tests / sizeof *tests);
}
