// face: libaio
// columns: oracle preload engine threads -- the others have the lanes of these
/* A call that takes events, waiting and with events at hand, is left in the middle again and again, by siglongjmp out of a
   signal handler, by deferred and by asynchronous cancellation, while another thread does I/O: io_getevents, its old
   version, io_pgetevents, and by number. No event is lost: it is in the memory that the call was given, or still in the
   context. Afterwards the context can be destroyed; the other thread's I/O goes on, close, dup2, fcntl and munmap work, and
   exit and _exit end.

   [D7] */
#include "departures.h"

#define BATCH 4

static struct {
    io_context_t context;
    unsigned char *buffer;
    struct iocb iocbs[BATCH], never;
    struct io_event events[BATCH];
    int fd, ends[2];
    unsigned round;
} state;

/* Besides, a poll that never ends, so that the context is never idle. */
static void set_up(void)
{
    state.fd = scratch_file("file", O_RDWR | O_DIRECT, BLOCK, 1);
    state.buffer = new_pages(BLOCK);
    state.context = make_context(64);
    make_pipe(state.ends);
    io_prep_poll(&state.never, state.ends[0], POLLIN);
    submit_one(state.context, &state.never);
}

static void before(void)
{
    struct iocb *list[BATCH];

    state.round++;
    memset(state.events, 0, sizeof state.events);
    for (int i = 0; i < BATCH; i++) {
        io_prep_pread(&state.iocbs[i], state.fd, state.buffer, BLOCK, 0);
        state.iocbs[i].data = (void *)(uintptr_t)(state.round * BATCH + i);
        list[i] = &state.iocbs[i];
    }
    CHECK_INT(io_submit(state.context, BATCH, list), BATCH);
}

static void calls_getevents(void)
{
    io_getevents(state.context, BATCH, BATCH, state.events, NULL);
}

int old_getevents(io_context_t context, long nr, struct io_event *events, const struct timespec *timeout);
__asm__(".symver old_getevents, io_getevents@LIBAIO_0.1");

static void calls_old_getevents(void)
{
    old_getevents(state.context, BATCH, state.events, NULL);
}

static void calls_getevents_by_number(void)
{
    syscall(SYS_io_getevents, state.context, (long)BATCH, (long)BATCH, state.events, NULL);
}

/* The signal that leaves the call comes in it, or before. */
static void calls_pgetevents(void)
{
    sigset_t none;

    sigemptyset(&none);
    io_pgetevents(state.context, BATCH, BATCH, state.events, NULL, &none);
}

static void calls_pgetevents_by_number(void)
{
    sigset_t none;
    struct {
        const sigset_t *set;
        size_t size;
    } mask = { &none, 8 };

    sigemptyset(&none);
    syscall(SYS_io_pgetevents, state.context, (long)BATCH, (long)BATCH, state.events, NULL, &mask);
}

/* Every event of this round is seen: those the call has delivered, and the rest. A call that is left just when it has
   delivered an event may leave that event in the ring, too: then the next round sees it again. */
static void settle(int left)
{
    static int left_before;
    unsigned seen = 0, have = BATCH;
    struct io_event event;

    for (;;) {
        for (unsigned i = 0; i < have; i++) {
            const struct io_event *e = have == 1 ? &event : &state.events[i];
            unsigned which = (unsigned)(uintptr_t)e->data - state.round * BATCH;

            if (e->obj == NULL)
                continue;
            if (which >= BATCH) {
                CHECK(left_before);
                continue;
            }
            CHECK_INT((long)e->res, BLOCK);
            seen |= 1u << which;
        }
        if (seen == (1u << BATCH) - 1) {
            left_before = left;
            return;
        }
        STEP("an event that a call took along which was left");
        reap(state.context, 1, &event);
        STEP("the rounds themselves");
        have = 1;
    }
}

static void check(void)
{
    STEP("io_destroy of the context whose calls were left");
    CHECK_INT(write(state.ends[1], "x", 1), 1);
    CHECK_INT(io_destroy(state.context), 0);
}

#define TAKES(name, function)                                                                                          \
    {                                                                                                                  \
        .call = name, .set_up = set_up, .before = before, .armed = function, .settle = settle, .check = check          \
    }

int main(void)
{
    static const struct departure tests[] = {
        TAKES("io_getevents", calls_getevents),
        TAKES("io_getevents@LIBAIO_0.1", calls_old_getevents),
        TAKES("io_pgetevents", calls_pgetevents),
        TAKES("syscall(SYS_io_getevents)", calls_getevents_by_number),
        TAKES("syscall(SYS_io_pgetevents)", calls_pgetevents_by_number),
    };

    return run_table_of_departures(tests, sizeof tests / sizeof *tests);
}
