// face: libaio
// columns: oracle preload engine threads without -- POSIX AIO is not the drop-in's
// oracle-deadline: 20
/* lio_listio, waiting for its list, is left in the middle again and again, by siglongjmp out of a signal handler, by
   deferred and by asynchronous cancellation, while another thread does I/O. Afterwards every call but those of POSIX
   AIO works: the other thread's I/O by libaio, close, dup2, fcntl and munmap, exit and _exit.

   [D7] The rule: POSIX does not list the call among the async-signal-safe functions, so that a jump out of it may leave
   POSIX AIO itself unusable (in glibc, with its lock held). But nothing else of the process depends on it in the
   original: descriptors, memory, contexts of libaio and the end of the process. */
#include "departures.h"

#define LISTED 2

static struct {
    unsigned char *buffer;
    struct aiocb *cbs;
    int fd, ends[2], next;
} state;

static void set_up(void)
{
    make_pipe(state.ends);
    state.fd = scratch_file("file", O_RDWR, BLOCK, 1);
    state.buffer = new_pages(BLOCK);
    state.cbs = new_pages((2 * ATTEMPTS + 100) * LISTED * sizeof *state.cbs);
}

/* Reads that never end, so that the call is always left while it waits, or before: in glibc the requests of a call that
   was left point into its stack, and must not end. Deferred cancellation does not end glibc's call: reads of a file. */
static void before(void)
{
    struct aiocb *cbs = &state.cbs[state.next++ * LISTED];

    for (int i = 0; i < LISTED; i++)
        cbs[i] = make_cb(departing.way == BY_DEFERRED_CANCELLATION ? state.fd : state.ends[0], state.buffer, 1, 0);
    cbs[0].aio_lio_opcode = cbs[1].aio_lio_opcode = LIO_READ;
}

static void armed(void)
{
    struct aiocb *cbs = &state.cbs[(state.next - 1) * LISTED], *list[LISTED] = { &cbs[0], &cbs[1] };

    lio_listio(LIO_WAIT, list, LISTED, NULL);
}

int main(void)
{
    static const struct departure test = {
        .call = "lio_listio",
        .set_up = set_up,
        .before = before,
        .armed = armed,
        .slow = 4,
        .spoils_posix = 1,
    };

    return run_departures(&test);
}
