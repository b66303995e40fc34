// face: libaio
// columns: oracle preload -- ten thousand rounds; the other columns share the code that is left
/* aio_write of a file is left in the middle ten thousand times, by siglongjmp out of a signal handler, by deferred and
   by asynchronous cancellation, while another thread does I/O. Afterwards every call but those of POSIX AIO works: the
   other thread's I/O by libaio, close, dup2, fcntl and munmap, exit and _exit.

   [D7] The rule: POSIX does not list the call among the async-signal-safe functions, so that a jump out of it may leave
   POSIX AIO itself unusable (in glibc, with its lock held). But nothing else of the process depends on it in the
   original: descriptors, memory, contexts of libaio and the end of the process. */
#include "departures.h"

static struct {
    unsigned char *buffer;
    struct aiocb *cbs;
    int fd, next;
} state;

static void set_up(void)
{
    state.fd = scratch_file("file", O_RDWR, BLOCK, 1);
    state.buffer = new_pages(BLOCK);
    state.cbs = new_pages((2 * ATTEMPTS + 100) * sizeof *state.cbs);
}

/* A new aiocb for each attempt: one that was left may still be in flight. */
static void before(void)
{
    state.cbs[state.next++] = cb_of(state.fd, state.buffer, BLOCK, 0);
}

static void armed(void)
{
    aio_write(&state.cbs[state.next - 1]);
}

static void settle(int left)
{
    (void)left;
}

int main(void)
{
    static const struct departure test = {
        .call = "aio_write",
        .set_up = set_up,
        .before = before,
        .armed = armed,
        .settle = settle,
        .spoils_posix = 1,
    };

    return run_departures(&test);
}
