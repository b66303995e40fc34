// face: libaio
// columns: oracle preload engine threads -- the others share this code
// unsanitized: asan tsan -- their runtimes keep what the program frees
/* Requests of every kind, a hundred thousand in sum, need no more memory at the end than after the first tenth: cached and
   O_DIRECT reads in batches, polls that end or are cancelled, eventfds, contexts that come and go.

   usage: flat-memory-libaio [REQUESTS]

   [E4] A server runs for months. The kernel frees a request with its event (fs/aio.c, iocb_destroy). */
#include "behaviour.h"
#include "iocb.h"

#include "direct.h"
#include "resident.h"

static int file, direct, ends[2], counter;
static io_context_t context, directly_used;

static void cached(long i)
{
    (void)i;
    read_blocks(context, file, 1, MOST);
}

static void directly(long i)
{
    (void)i;
    read_blocks(directly_used, direct, 1, MOST);
}

static void poll_of_pipe(long i)
{
    struct io_event event;
    struct iocb iocb;
    char byte;
    int ret;

    io_prep_poll(&iocb, ends[0], POLLIN);
    io_set_eventfd(&iocb, counter);
    submit_one(context, &iocb);
    if (i % 2) {
        ret = io_cancel(context, &iocb, &event);
        CHECK(ret == -EINPROGRESS || ret == 0);
        if (ret == 0)
            return;
    } else {
        CHECK_INT(write(ends[1], "x", 1), 1);
    }
    reap(context, 1, &event);
    if (i % 2 == 0)
        read_whole(ends[0], &byte, 1);
}

static void short_lived(long i)
{
    io_context_t other = make_context(32);

    read_blocks(other, i % 2 ? direct : file, 1, 4);
    CHECK_INT(io_destroy(other), 0);
}

int main(int argc, char **argv)
{
    long requests = argc > 1 ? atol(argv[1]) : 100000;

    start_deadline();
    if (argc > 1)
        alarm(0);
    file = pattern_file(O_RDWR, BLOCKS * BLOCK, 0);
    direct = direct_file();
    counter = MUST(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    make_pipe(ends);
    context = make_context(64);
    directly_used = make_context(64);
    STEP("the rounds");
    check_memory_is_flat("cached reads", requests / 2 / MOST, cached);
    check_memory_is_flat("O_DIRECT reads", requests * 3 / 10 / MOST, directly);
    check_memory_is_flat("polls", requests * 2 / 10, poll_of_pipe);
    /* io_destroy of a context that the kernel carries takes 30 ms. */
    check_memory_is_flat("contexts", requests / 2000, short_lived);
    return 0;
}
