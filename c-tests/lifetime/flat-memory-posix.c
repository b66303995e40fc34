// columns: oracle preload threads -- the others share this code
// unsanitized: asan tsan -- their runtimes keep what the program frees
/* Requests of every kind, a hundred thousand in sum, need no more memory at the end than after the first tenth: cached and
   O_DIRECT reads, writes, flushes, pipes, cancellation, lists with notification by thread and by signal.

   usage: flat-memory-posix [REQUESTS]

   [E4] A server runs for months. The original keeps its requests in a table that it uses again (glibc, aio_misc.c). */
#include "aiocb.h"
#include "behaviour.h"
#include "direct.h"
#include "list.h"
#include "resident.h"

static int file, direct, ends[2];
static char *block;
static _Atomic int notified;

static void note(union sigval value)
{
    (void)value;
    atomic_fetch_add(&notified, 1);
}

static void count_signal(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    atomic_fetch_add(&notified, 1);
}

static void cached(long i)
{
    struct aiocb cb = make_cb(file, block, 512, i % BLOCKS * BLOCK);

    CHECK_INT(i % 2 ? aio_read(&cb) : aio_write(&cb), 0);
    CHECK_DONE(&cb, 512);
}

static void flush(long i)
{
    struct aiocb cb = make_cb(file, NULL, 0, 0);

    (void)i;
    CHECK_INT(aio_fsync(O_DSYNC, &cb), 0);
    CHECK_DONE(&cb, 0);
}

static void directly(long i)
{
    static struct reads reads;

    (void)i;
    start_reads(direct, &reads, MOST);
    check_reads(&reads, MOST);
}

static void through_pipe(long i)
{
    char byte;
    struct aiocb in = make_cb(ends[0], &byte, 1, 0), out = make_cb(ends[1], "x", 1, 0);

    CHECK_INT(aio_read(&in), 0);
    if (i % 8 == 0) {
        int answer = aio_cancel(ends[0], &in);

        if (answer == AIO_CANCELED) {
            CHECK_ENDS_WITH(&in, ECANCELED);
            return;
        }
    }
    CHECK_INT(aio_write(&out), 0);
    CHECK_DONE(&out, 1);
    CHECK_DONE(&in, 1);
}

static void list_of_reads(long i)
{
    struct aiocb cb[4], *list[4];
    struct sigevent event = i % 2 ? thread_event(note, NULL) : signal_event(SIGUSR1, 1);

    atomic_store(&notified, 0);
    for (int k = 0; k < 4; k++) {
        cb[k] = make_entry(LIO_READ, k % 2 ? direct : file, block + k * BLOCK, BLOCK, k * BLOCK);
        notify_by_thread(&cb[k], note, NULL);
        list[k] = &cb[k];
    }
    CHECK_INT(lio_listio(LIO_NOWAIT, list, 4, &event), 0);
    for (int k = 0; k < 4; k++)
        CHECK_DONE(&cb[k], BLOCK);
    WAIT_UNTIL(atomic_load(&notified) == 5);
}

int main(int argc, char **argv)
{
    long requests = argc > 1 ? atol(argv[1]) : 100000;

    start_deadline();
    if (argc > 1)
        alarm(0);
    on_signal(SIGUSR1, count_signal, SA_RESTART);
    file = pattern_file(O_RDWR, BLOCKS * BLOCK, 0);
    direct = direct_file();
    block = aligned(4 * BLOCK);
    make_pipe(ends);
    STEP("the rounds");
    check_memory_is_flat("cached reads and writes", requests * 4 / 10, cached);
    check_memory_is_flat("O_DIRECT reads", requests * 3 / 10 / MOST, directly);
    check_memory_is_flat("pipes", requests * 2 / 10, through_pipe);
    check_memory_is_flat("lists", requests / 100, list_of_reads);
    check_memory_is_flat("flushes", requests / 1000, flush);
    return 0;
}
