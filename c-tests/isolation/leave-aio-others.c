// face: libaio
// columns: oracle preload engine threads without -- POSIX AIO is not the drop-in's
// oracle-deadline: 20
/* The calls of POSIX AIO that have no leave-aio program of their own, and what uringaio has beyond them, are left in the middle
   again and again, by siglongjmp out of a signal handler, by deferred and by asynchronous cancellation, while another thread
   does I/O. Afterwards every call but those of POSIX AIO works: the other thread's I/O by libaio, close, dup2, fcntl and
   munmap, exit and _exit. On uringaio POSIX AIO works as well, in that thread and in this one.

   [D7] The rule: POSIX does not list most of the calls among the async-signal-safe functions, so that a jump out of one may
   leave POSIX AIO itself unusable (in glibc, with its lock held). But nothing else of the process depends on it in the
   original: descriptors, memory, contexts of libaio and the end of the process. */
#include <dlfcn.h>

#include "departures.h"

#define BATCH 4

static struct {
    unsigned char *buffer;
    struct aiocb *cbs, never, done;
    struct iovec parts[2];
    int fd, direct, ends[2], eventfd, next;
} state;

static void set_up(void)
{
    make_pipe(state.ends);
    state.fd = scratch_file("file", O_RDWR, BLOCK, 1);
    state.direct = scratch_file("direct", O_RDWR | O_DIRECT, BLOCK, 2);
    state.buffer = new_pages(BLOCK);
    state.parts[0] = (struct iovec){ state.buffer, 512 };
    state.parts[1] = (struct iovec){ state.buffer + 512, 512 };
    state.cbs = new_pages((2 * ATTEMPTS + 100) * BATCH * sizeof *state.cbs);
    state.never = make_cb(state.ends[0], state.buffer, 1, 0);
    CHECK_INT(aio_read(&state.never), 0);
    state.done = make_cb(state.fd, state.buffer, 16, 0);
    CHECK_INT(aio_read(&state.done), 0);
    AWAIT_CB(&state.done);
}

/* New aiocbs for each attempt: those of a call that was left may still be in flight. */
static struct aiocb *new_cbs(void)
{
    struct aiocb *cbs = &state.cbs[state.next];

    state.next += BATCH;
    return cbs;
}

static void nothing(void)
{
}

static void prepares_batch(void)
{
    struct aiocb *cbs = new_cbs();

    for (int i = 0; i < BATCH; i++) {
        cbs[i] = make_cb(i % 2 ? state.direct : state.fd, state.buffer, i % 2 ? BLOCK : 64, 0);
        cbs[i].aio_lio_opcode = LIO_READ;
    }
}

static void prepares_ends(void)
{
    prepares_batch();
    CHECK_INT(aio_read(&state.cbs[state.next - 1]), 0);
    CHECK_INT(aio_read(&state.cbs[state.next - 2]), 0);
}

static void prepares_vectors(void)
{
    struct aiocb *cb = new_cbs();

    *cb = make_cb(state.direct, state.parts, 2, 0);
}

static void was_called(union sigval unused)
{
    (void)unused;
}

static void prepares_callback(void)
{
    struct aiocb *cb = new_cbs();

    *cb = make_cb(state.direct, state.buffer, BLOCK, 0);
    notify_by_thread(cb, was_called, NULL);
}

static struct aiocb *newest(void)
{
    return &state.cbs[state.next - BATCH];
}

static void calls_fsync(void)
{
    aio_fsync(O_SYNC, newest());
}

static void calls_error(void)
{
    aio_error(&state.never);
    aio_error(&state.done);
}

static void calls_return(void)
{
    aio_return(&state.done);
}

static void calls_list(void)
{
    struct aiocb *cbs = newest(), *list[BATCH] = { &cbs[0], &cbs[1], &cbs[2], &cbs[3] };

    lio_listio(LIO_NOWAIT, list, BATCH, NULL);
}

static void calls_suspend(void)
{
    const struct aiocb *list[1] = { &state.never };

    aio_suspend(list, 1, NULL);
}

static void calls_read(void)
{
    aio_read(newest());
}

static void calls_init(void)
{
    static const struct aioinit advice = { .aio_threads = 8, .aio_num = 64, .aio_idle_time = 1 };

    aio_init(&advice);
}

/* --- what glibc does not have ---------------------------------------------------------------------------------------- */

static void *function; /* the one that the departure is about */

static void finds(const char *name)
{
    set_up();
    function = dlsym(RTLD_DEFAULT, name);
}

static void finds_readv(void)
{
    finds("aio_readv");
}

static void finds_writev(void)
{
    finds("aio_writev");
}

static void finds_waitcomplete(void)
{
    finds("aio_waitcomplete");
}

static void finds_deadline(void)
{
    finds("uringaio_deadline");
}

static void calls_vectored(void)
{
    ((int (*)(struct aiocb *))function)(newest());
}

static void calls_waitcomplete(void)
{
    struct timespec limit = { 0, 300000 };
    struct aiocb *which;

    ((ssize_t (*)(struct aiocb **, struct timespec *))function)(&which, &limit);
}

/* Of a request that ends after the test. */
static void calls_deadline(void)
{
    struct timespec hour = { 3600, 0 };

    ((int (*)(struct aiocb *, const struct timespec *))function)(&state.never, &hour);
}

/* --- the tables ------------------------------------------------------------------------------------------------------ */

/* On uringaio: POSIX AIO works in the thread whose calls were left. */
static void check(void)
{
    if (!posix_is_usable())
        return;
    STEP("aio_read after the departures");
    for (int i = 0; i < 2; i++) {
        struct aiocb cb = make_cb(i ? state.direct : state.fd, state.buffer, i ? BLOCK : 100, 0);

        CHECK_INT(aio_read(&cb), 0);
        CHECK_DONE(&cb, i ? BLOCK : 100);
    }
    CHECK_INT(write(state.ends[1], "x", 1), 1);
    CHECK_DONE(&state.never, 1);
}

#define LEAVES(name, finding, preparing, function)                                                                     \
    {                                                                                                                  \
        .call = name, .set_up = finding, .before = preparing, .armed = function, .check = check, .spoils_posix = 1     \
    }

int main(void)
{
    static const struct departure in_both[] = {
        LEAVES("aio_fsync", set_up, prepares_batch, calls_fsync),
        LEAVES("aio_error", set_up, nothing, calls_error),
        LEAVES("aio_return", set_up, nothing, calls_return),
        LEAVES("lio_listio(LIO_NOWAIT)", set_up, prepares_batch, calls_list),
        LEAVES("aio_suspend without a limit", set_up, nothing, calls_suspend),
        LEAVES("aio_read with a callback", set_up, prepares_callback, calls_read),
        LEAVES("aio_init", set_up, nothing, calls_init),
    };
    static const struct departure in_ours[] = {
        LEAVES("aio_readv", finds_readv, prepares_vectors, calls_vectored),
        LEAVES("aio_writev", finds_writev, prepares_vectors, calls_vectored),
        LEAVES("aio_waitcomplete", finds_waitcomplete, prepares_ends, calls_waitcomplete),
        LEAVES("uringaio_deadline", finds_deadline, nothing, calls_deadline),
    };
    int failed = run_table_of_departures(in_both, sizeof in_both / sizeof *in_both);

    if (failed != 77 && dlsym(RTLD_DEFAULT, "aio_readv"))
        failed |= run_table_of_departures(in_ours, sizeof in_ours / sizeof *in_ours);
    return failed;
}
