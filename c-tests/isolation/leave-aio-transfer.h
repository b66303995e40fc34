/* The body of leave-aio-read.c and leave-aio-write.c, which say what it does: SUBMIT is the call, on a file opened with
   FLAGS. */
#include "departures.h"

static struct {
    unsigned char *buffer;
    struct aiocb *cbs;
    int fd, next;
} state;

static void set_up(void)
{
    state.fd = scratch_file("file", O_RDWR | FLAGS, BLOCK, 1);
    state.buffer = new_pages(BLOCK);
    state.cbs = new_pages((2 * ATTEMPTS + 100) * sizeof *state.cbs);
}

/* A new aiocb for each attempt: one that was left may still be in flight. */
static void before(void)
{
    state.cbs[state.next++] = make_cb(state.fd, state.buffer, BLOCK, 0);
}

static void armed(void)
{
    SUBMIT(&state.cbs[state.next - 1]);
}

int main(void)
{
    static const struct departure test = {
        .call = CALL,
        .set_up = set_up,
        .before = before,
        .armed = armed,
        .spoils_posix = 1,
    };

    return run_departures(&test);
}
