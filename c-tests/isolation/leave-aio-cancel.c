// face: libaio
// columns: oracle preload engine threads without -- POSIX AIO is not the drop-in's
/* aio_cancel of a read that would never end is left in the middle again and again, by siglongjmp out of a signal
   handler, by deferred and by asynchronous cancellation, while another thread does I/O. Afterwards every call but those
   of POSIX AIO works: the other thread's I/O by libaio, close, dup2, fcntl and munmap, exit and _exit.

   [D7] The rule: POSIX does not list the call among the async-signal-safe functions, so that a jump out of it may leave
   POSIX AIO itself unusable (in glibc, with its lock held). But nothing else of the process depends on it in the
   original: descriptors, memory, contexts of libaio and the end of the process. */
#include "departures.h"

static struct {
    char byte;
    struct aiocb *cbs;
    int ends[2], next;
} state;

static void set_up(void)
{
    make_pipe(state.ends);
    state.cbs = new_pages((2 * ATTEMPTS + 100) * sizeof *state.cbs);
    state.cbs[0] = make_cb(state.ends[0], &state.byte, 1, 0);
    CHECK_INT(aio_read(&state.cbs[0]), 0);
}

static void before(void)
{
}

/* Of the descriptor every second time: of all its requests. */
static void armed(void)
{
    aio_cancel(state.ends[0], state.next++ % 2 ? &state.cbs[0] : NULL);
}

int main(void)
{
    static const struct departure test = {
        .call = "aio_cancel",
        .set_up = set_up,
        .before = before,
        .armed = armed,
        .spoils_posix = 1,
    };

    return run_departures(&test);
}
