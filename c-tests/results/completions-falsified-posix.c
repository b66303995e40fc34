// face: posix
// columns: oracle preload -- there alone io_uring carries them
/* Whatever a completion of io_uring's says: what it adds of its own (it could not wait, no worker, a restart code, a filter)
   is not told, and the request is done; the file's own answer (a count, an error) is. Every such result, at every operation
   that io_uring carries, at the first to the fourth completion and at all, with O_DIRECT and through the page cache.

   [F1][F2] aio_read(3), aio_write(3): the results are those of read(2) and write(2). */
#define ONE_REQUEST_POSIX
#include "completions-falsified.h"

static void do_batch(int kind, int fd, unsigned char *buffer, long long *results)
{
    struct aiocb cbs[N];

    for (int i = 0; i < N; i++) {
        cbs[i] = make_cb(fd, buffer + i * BLOCK, BLOCK, i * BLOCK);
        CHECK_INT(kind == A_READ ? aio_read(&cbs[i]) : aio_write(&cbs[i]), 0);
    }
    for (int i = 0; i < N; i++) {
        AWAIT_CB(&cbs[i]);
        results[i] = aio_error(&cbs[i]) ? -aio_error(&cbs[i]) : aio_return(&cbs[i]);
    }
}

/* Whatever the cancellation's own completion says, a request that was not cancelled is done. */
static void cancel_each(int fd)
{
    unsigned char *buffer = new_pages(FILE_BYTES);
    struct aiocb cbs[N];
    int answers[N];

    STEP("cancellations");
    for (int r = 0; r < RESULTS; r++) {
        memset(buffer, 0xff, FILE_BYTES);
        CHECK_INT(pwrite(fd, buffer, FILE_BYTES, 0), FILE_BYTES);
        memset(buffer, 0, FILE_BYTES);
        falsify(IORING_OP_ASYNC_CANCEL, 0, results[r]);
        for (int i = 0; i < N; i++) {
            cbs[i] = make_cb(fd, buffer + i * BLOCK, BLOCK, i * BLOCK);
            CHECK_INT(aio_read(&cbs[i]), 0);
        }
        for (int i = 0; i < N; i++)
            CHECK((answers[i] = aio_cancel(fd, &cbs[i])) >= 0);
        for (int i = 0; i < N; i++) {
            if (answers[i] == AIO_CANCELED) {
                CHECK_ENDS_WITH(&cbs[i], ECANCELED);
            } else {
                CHECK_DONE(&cbs[i], BLOCK);
                CHECK(is_all(buffer + i * BLOCK, BLOCK, 0xff));
            }
        }
        survived += falsified();
    }
}

static void work(void)
{
    static const struct kind kinds[] = { { A_READ, IORING_OP_READ, "aio_read" },
                                         { A_WRITE, IORING_OP_WRITE, "aio_write" },
                                         { A_READ, FUTEX_WAIT_ENTRY, "the doorbell's" } };
    int direct = scratch_file("direct", O_RDWR | O_DIRECT, FILE_BYTES, 1);
    long before;

    falsify_all(kinds, 3, direct, "O_DIRECT");
    before = survived;
    cancel_each(direct);
    if (getenv("TELL"))
        SAY("O_DIRECT, the cancellation's: %ld falsified completions", survived - before);
    /* Unless that is forbidden, writes go through the page cache in the calling thread. */
    falsify_all(kinds, getenv("URINGAIO_INLINE") ? 2 : 1, scratch_file("buffered", O_RDWR, FILE_BYTES, 1), "buffered");
    SAY("%ld falsified completions", survived);
    exit(failed);
}

int main(int argc, char **argv)
{
    (void)argc;
    return run_each(argv, work);
}
