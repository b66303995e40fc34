// face: libaio
// columns: oracle preload engine threads -- the others have the lanes of these
// sleeps: its rounds wait for signals, threads and ends of processes
/* io_setup or io_queue_init is left in the middle again and again, by siglongjmp out of a signal handler, by deferred and by
   asynchronous cancellation, while another thread does I/O. A context is there or it is not; those that are there serve and
   can be destroyed, and other threads can make others. The other thread's I/O goes on, close, dup2, fcntl and munmap work, and
   exit and _exit end.

   [D7] */
#include "departures.h"

#define KEPT 50 /* to be tried in the end; the others are the exit's */

static struct {
    io_context_t context, kept[KEPT];
    int fd, count;
} state;

static void set_up(void)
{
    state.fd = scratch_file("file", O_RDWR, BLOCK, 1);
}

static void before(void)
{
    state.context = NULL;
}

static void calls_setup(void)
{
    io_setup(1, &state.context);
}

static void calls_queue_init(void)
{
    io_queue_init(1, &state.context);
}

static void settle(int left)
{
    if (left && state.context && state.count < KEPT)
        state.kept[state.count++] = state.context;
}

static void *makes_another(void *unused)
{
    (void)unused;
    CHECK_INT(io_destroy(make_context(1)), 0);
    return NULL;
}

static void check(void)
{
    unsigned char *buffer = new_pages(BLOCK);
    struct iocb iocb;

    STEP("io_setup in another thread");
    join_thread(start_thread(makes_another, NULL));
    STEP("contexts of calls that were left");
    for (int i = 0; i < state.count; i++) {
        memset(buffer, 0, BLOCK);
        io_prep_pread(&iocb, state.fd, buffer, BLOCK, 0);
        CHECK_INT(outcome(state.kept[i], &iocb), BLOCK);
        CHECK(is_pattern(buffer, BLOCK, 1));
        CHECK_INT(io_destroy(state.kept[i]), 0);
    }
}

#define MAKES(name, function)                                                                                          \
    {                                                                                                                  \
        .call = name, .set_up = set_up, .before = before, .armed = function, .settle = settle, .check = check          \
    }

int main(void)
{
    static const struct departure tests[] = {
        MAKES("io_setup", calls_setup),
        MAKES("io_queue_init", calls_queue_init),
    };

    return run_table_of_departures(tests, sizeof tests / sizeof *tests);
}
