/* The body of leave-submit-write.c, leave-submit-cached.c and leave-submit-direct.c, which say what it does: PREPARE is the
   request, on a file opened with FLAGS. */
#include "departures.h"

#define ROOM 64 /* requests that the context has room for at least */

static struct {
    io_context_t context;
    unsigned char *buffer;
    struct iocb *iocbs;
    int fd, next;
} state;

static void set_up(void)
{
    state.fd = scratch_file("file", O_RDWR | FLAGS, BLOCK, 1);
    state.buffer = new_pages(BLOCK);
    state.iocbs = new_pages((2 * ATTEMPTS + ROOM) * sizeof *state.iocbs);
    state.context = make_context(ROOM);
}

/* A new iocb for each attempt: one that was left may still be in flight. */
static struct iocb *new_iocb(void)
{
    struct iocb *iocb = &state.iocbs[state.next++];

    PREPARE(iocb, state.fd, state.buffer, BLOCK, 0);
    return iocb;
}

static void before(void)
{
    new_iocb();
}

static void armed(void)
{
    struct iocb *iocb = &state.iocbs[state.next - 1];

    io_submit(state.context, 1, &iocb);
}

/* Takes what has completed; whether the call that was left submitted anything, only its event can tell. */
static void settle(int left)
{
    struct timespec no_time = { 0, 0 };
    struct io_event events[ROOM];
    int got;

    (void)left;
    got = io_getevents(state.context, 0, ROOM, events, &no_time);
    CHECK(got >= 0);
    for (int i = 0; i < got; i++)
        CHECK_INT((long)events[i].res, BLOCK);
}

static void check(void)
{
    struct iocb *list[ROOM];
    struct io_event event;
    int first, taken = 0, mine = 0;

    STEP("requests of calls that were left");
    first = state.next;
    for (int i = 0; i < ROOM; i++)
        list[i] = new_iocb();
    /* What was in flight when the call was left completes, and then there is room again. */
    while (taken < ROOM) {
        int n = io_submit(state.context, ROOM - taken, list + taken);

        CHECK(n > 0 || n == -EAGAIN);
        taken += n > 0 ? n : 0;
        if (taken < ROOM) {
            reap(state.context, 1, &event);
            mine += event.obj >= &state.iocbs[first];
        }
    }
    STEP("the context's requests after the departures");
    while (mine < ROOM) {
        reap(state.context, 1, &event);
        CHECK_INT((long)event.res, BLOCK);
        mine += event.obj >= &state.iocbs[first];
    }
    STEP("io_destroy of the context whose calls were left");
    CHECK_INT(io_destroy(state.context), 0);
}

int main(void)
{
    static const struct departure test = {
        .call = CALL,
        .set_up = set_up,
        .before = before,
        .armed = armed,
        .settle = settle,
        .check = check,
    };

    return run_departures(&test);
}
