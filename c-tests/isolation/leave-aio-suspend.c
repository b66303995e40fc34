// face: libaio
// columns: oracle preload engine threads without -- POSIX AIO is not the drop-in's
/* aio_suspend is left in the middle again and again, by siglongjmp out of a signal handler, by deferred and by
   asynchronous cancellation, while another thread does I/O. Afterwards every call but those of POSIX AIO works: the
   other thread's I/O by libaio, close, dup2, fcntl and munmap, exit and _exit.

   [D7] The rule: POSIX does not list the call among the async-signal-safe functions, so that a jump out of it may leave
   POSIX AIO itself unusable (in glibc, with its lock held). But nothing else of the process depends on it in the
   original: descriptors, memory, contexts of libaio and the end of the process. */
#include "departures.h"

static struct {
    char byte;
    struct aiocb cb;
    int ends[2];
} state;

/* A read that never ends. */
static void set_up(void)
{
    make_pipe(state.ends);
    state.cb = make_cb(state.ends[0], &state.byte, 1, 0);
    CHECK_INT(aio_read(&state.cb), 0);
}

static void before(void)
{
}

static void armed(void)
{
    const struct aiocb *list[1] = { &state.cb };
    struct timespec limit = { 0, 300000 };

    aio_suspend(list, 1, &limit);
}

int main(void)
{
    static const struct departure test = {
        .call = "aio_suspend",
        .set_up = set_up,
        .before = before,
        .armed = armed,
        .spoils_posix = 1,
    };

    return run_departures(&test);
}
