// face: libaio
// columns: oracle preload engine threads -- the others have the lanes of these
/* io_destroy or io_queue_release of a context with a request in flight is left in the middle again and again (the original takes some 30
   ms), by siglongjmp out of a signal handler, by deferred and by asynchronous cancellation, while another thread does
   I/O. Afterwards the context is gone or can still be destroyed, another can be made, the other thread's I/O goes on,
   close, dup2, fcntl and munmap work, and exit and _exit end.

   [D7] */
#include "departures.h"

static struct {
    io_context_t context;
    unsigned char *buffer;
    struct iocb iocb;
    int fd;
} state;

static void set_up(void)
{
    state.fd = scratch_file("file", O_RDWR | O_DIRECT, BLOCK, 1);
    state.buffer = new_pages(BLOCK);
}

static void before(void)
{
    state.context = make_context(8);
    io_prep_pread(&state.iocb, state.fd, state.buffer, BLOCK, 0);
    submit_one(state.context, &state.iocb);
}

static void calls_destroy(void)
{
    io_destroy(state.context);
}

static void calls_release(void)
{
    io_queue_release(state.context);
}

static void settle(int left)
{
    int ret;

    if (!left)
        return;
    STEP("io_destroy of a context whose io_destroy was left");
    ret = io_destroy(state.context);
    CHECK(ret == 0 || ret == -EINVAL);
    STEP("the rounds themselves");
}

#define DESTROYS(name, function)                                                                                       \
    {                                                                                                                  \
        .call = name, .set_up = set_up, .before = before, .armed = function, .settle = settle, .slow = 20              \
    }

int main(void)
{
    static const struct departure tests[] = {
        DESTROYS("io_destroy", calls_destroy),
        DESTROYS("io_queue_release", calls_release),
    };

    return run_table_of_departures(tests, sizeof tests / sizeof *tests);
}
