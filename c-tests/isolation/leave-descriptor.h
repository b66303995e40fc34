/* The body of leave-close.c and leave-dup2.c, which say what they do. CALL is the call's name, for what is printed. armed()
   makes the call on `state.fd`; close_number() closes that number afterwards, where the call, which was left if `left`, has
   not done so. */
#include "departures.h"

static void armed(void);
static void close_number(int left);

static struct {
    io_context_t context;
    unsigned char *buffer;
    struct iocb iocbs[2], *list[2];
    struct aiocb cb;
    int file, fd, eventfd;
} state;

static void set_up(void)
{
    state.file = scratch_file("file", O_RDWR | O_DIRECT, BLOCK, 1);
    state.buffer = new_pages(3 * BLOCK);
    state.context = make_context(8);
    state.eventfd = MUST(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

static void before(void)
{
    state.fd = MUST(fcntl(state.file, F_DUPFD_CLOEXEC, 100));
    for (int i = 0; i < 2; i++) {
        io_prep_pread(&state.iocbs[i], state.fd, state.buffer + i * BLOCK, BLOCK, 0);
        state.list[i] = &state.iocbs[i];
    }
    io_set_eventfd(&state.iocbs[1], state.eventfd);
    state.cb = make_cb(state.file, state.buffer + 2 * BLOCK, BLOCK, 0);
    CHECK_INT(aio_read(&state.cb), 0);
    CHECK_INT(io_submit(state.context, 2, state.list), 2);
}

static void settle(int left)
{
    struct io_event events[2];

    close_number(left);
    reap(state.context, 2, events);
    CHECK_INT((long)events[0].res, BLOCK);
    CHECK_INT((long)events[1].res, BLOCK);
    CHECK_DONE(&state.cb, BLOCK);
}

static void check(void)
{
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
