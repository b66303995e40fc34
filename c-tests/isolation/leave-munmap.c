// face: libaio
// columns: oracle preload engine threads -- the others have the lanes of these
/* munmap, mremap or mprotect of memory into which a request is reading is left in the middle again and again, by siglongjmp
   out of a signal handler, by deferred and by asynchronous cancellation, while another thread does I/O. Afterwards every
   context can be destroyed, the other thread's I/O goes on, close, dup2, fcntl and munmap work, and exit and _exit end.

   [D7] The rule: each is one system call; who leaves it takes nothing along, and the mapping is as before or as after. */
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
    state.context = make_context(8);
}

static void before(void)
{
    state.buffer = new_pages(BLOCK);
    io_prep_pread(&state.iocb, state.fd, state.buffer, BLOCK, 0);
    submit_one(state.context, &state.iocb);
}

static void calls_munmap(void)
{
    munmap(state.buffer, BLOCK);
}

static void calls_mremap(void)
{
    if (mremap(state.buffer, BLOCK, 2 * BLOCK, MREMAP_MAYMOVE) == MAP_FAILED)
        FAIL("mremap: %s", strerror(errno));
}

static void calls_mprotect(void)
{
    mprotect(state.buffer, BLOCK, PROT_READ);
}

static void settle(int left)
{
    struct io_event event;

    (void)left;
    reap(state.context, 1, &event);
    CHECK_INT((long)event.res, BLOCK);
}

static void settle_protected(int left)
{
    settle(left);
    MUST(munmap(state.buffer, BLOCK));
}

static void check(void)
{
    CHECK_INT(io_destroy(state.context), 0);
}

#define CHANGES(name, function, settles)                                                                               \
    {                                                                                                                  \
        .call = name, .set_up = set_up, .before = before, .armed = function, .settle = settles, .check = check         \
    }

int main(void)
{
    static const struct departure tests[] = {
        CHANGES("munmap", calls_munmap, settle),
        CHANGES("mremap", calls_mremap, settle),
        CHANGES("mprotect", calls_mprotect, settle_protected),
    };

    return run_table_of_departures(tests, sizeof tests / sizeof *tests);
}
