// face: libaio
// columns: oracle preload engine threads -- the others have the lanes of these
// sleeps: its rounds wait for signals, threads and ends of processes
/* io_submit of requests of every kind, on several files, one with an eventfd, is left in the middle again and again, by
   siglongjmp out of a signal handler, by deferred and by asynchronous cancellation, while another thread does I/O; by name
   and by number. Afterwards its context takes as many requests as before and completes them, and can be destroyed; the other
   thread's I/O goes on, close, dup2, fcntl and munmap work, and exit and _exit end.

   [D7] */
#include "departures.h"

#define BATCH 8
#define ROOM 64

static struct {
    io_context_t context;
    unsigned char *buffer;
    struct iocb *iocbs, *list[BATCH];
    int file, direct, ends[2], eventfd, next;
} state;

static void set_up(void)
{
    state.file = scratch_file("file", O_RDWR, BLOCK, 1);
    state.direct = scratch_file("direct", O_RDWR | O_DIRECT, BLOCK, 2);
    state.buffer = new_pages(2 * BLOCK);
    state.eventfd = MUST(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    state.iocbs = new_pages((2 * ATTEMPTS + ROOM) * BATCH * sizeof *state.iocbs);
    state.context = make_context(ROOM);
    make_pipe(state.ends);
}

/* New iocbs for each attempt: those of a call that was left may still be in flight. All of them end by themselves. */
static void prepares(void)
{
    static const struct iovec parts[2] = { { "ab", 2 }, { "c", 1 } };
    struct iocb *iocb = &state.iocbs[state.next];
    char byte[4 * BATCH];

    /* Never full of what the writes of earlier rounds left there. */
    MUST(fcntl(state.ends[0], F_SETFL, O_NONBLOCK));
    while (read(state.ends[0], byte, sizeof byte) > 0)
        ;
    io_prep_pread(&iocb[0], state.file, state.buffer, BLOCK, 0);
    io_prep_pread(&iocb[1], state.direct, state.buffer, BLOCK, 0);
    io_prep_poll(&iocb[2], state.ends[1], POLLOUT);
    io_prep_pwrite(&iocb[3], state.file, state.buffer + BLOCK, 100, 0);
    io_prep_pwritev(&iocb[4], state.ends[1], parts, 2, 0);
    io_prep_fdsync(&iocb[5], state.direct);
    io_prep_pwrite(&iocb[6], state.direct, state.buffer + BLOCK, BLOCK, 0);
    io_prep_pread(&iocb[7], state.file, state.buffer, BLOCK, 0);
    io_set_eventfd(&iocb[7], state.eventfd);
    for (int i = 0; i < BATCH; i++)
        state.list[i] = iocb++;
    state.next += BATCH;
}

static void calls_submit(void)
{
    io_submit(state.context, BATCH, state.list);
}

static void calls_by_number(void)
{
    syscall(SYS_io_submit, state.context, (long)BATCH, state.list);
}

static void settle(int left)
{
    struct timespec no_time = { 0, 0 };
    struct io_event events[ROOM];
    int got;

    (void)left;
    got = io_getevents(state.context, 0, ROOM, events, &no_time);
    CHECK(got >= 0);
    for (int i = 0; i < got; i++)
        CHECK((long)events[i].res >= 0);
}

static void check(void)
{
    struct iocb *first = &state.iocbs[state.next];
    struct io_event event;
    int taken, mine = 0;

    STEP("requests of calls that were left");
    prepares();
    /* What was in flight when the call was left completes, and then there is room again. */
    for (int done = 0; done < BATCH; done += taken) {
        taken = io_submit(state.context, BATCH - done, state.list + done);
        if (taken == -EAGAIN) {
            taken = 0;
            reap(state.context, 1, &event);
            mine += event.obj >= first;
        }
        CHECK(taken >= 0);
    }
    STEP("the context's requests after the departures");
    while (mine < BATCH) {
        reap(state.context, 1, &event);
        mine += event.obj >= first;
    }
    STEP("io_destroy of the context whose calls were left");
    CHECK_INT(io_destroy(state.context), 0);
}

#define SUBMITS(name, function)                                                                                        \
    {                                                                                                                  \
        .call = name, .set_up = set_up, .before = prepares, .armed = function, .settle = settle, .check = check        \
    }

int main(void)
{
    static const struct departure tests[] = {
        SUBMITS("io_submit of every kind", calls_submit),
        SUBMITS("syscall(SYS_io_submit)", calls_by_number),
    };

    return run_table_of_departures(tests, sizeof tests / sizeof *tests);
}
