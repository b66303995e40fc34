// face: libaio
// columns: oracle engine -- there alone io_uring carries them
/* Whatever a completion of io_uring's says: what it adds of its own (it could not wait, no worker, a restart code, a filter)
   is not told, and the request is done; the file's own answer (a count, an error) is. Every such result, at every operation
   that io_uring carries, at the first to the fourth completion and at all, with O_DIRECT and through the page cache.

   [F1][F2] io_submit(2): the events carry what pread(2), pwrite(2) and the like would return. */
#include "completions-falsified.h"

static void do_batch(int kind, int fd, unsigned char *buffer, long long *results)
{
    static const int opcodes[] = { IO_CMD_PREAD, IO_CMD_PWRITE, IO_CMD_PREADV, IO_CMD_PWRITEV, IO_CMD_PREAD };
    static io_context_t context;
    static int counter;
    struct iocb iocbs[N], *list[N];
    struct io_event events[N];
    struct iovec halves[N][2];

    if (!context) {
        context = make_context(N);
        counter = MUST(eventfd(0, EFD_CLOEXEC));
    }
    for (int i = 0; i < N; i++) {
        unsigned char *block = buffer + i * BLOCK;

        io_prep_pread(&iocbs[i], fd, block, BLOCK, i * BLOCK);
        if (kind == A_READV || kind == A_WRITEV) {
            halves[i][0] = (struct iovec){ block, BLOCK / 2 };
            halves[i][1] = (struct iovec){ block + BLOCK / 2, BLOCK / 2 };
            io_prep_preadv(&iocbs[i], fd, halves[i], 2, i * BLOCK);
        }
        iocbs[i].aio_lio_opcode = opcodes[kind];
        if (kind == A_READ_WITH_EVENTFD)
            io_set_eventfd(&iocbs[i], counter);
        list[i] = &iocbs[i];
    }
    CHECK_INT(io_submit(context, N, list), N);
    reap(context, N, events);
    for (int i = 0; i < N; i++)
        results[events[i].obj - iocbs] = (long)events[i].res;
    for (uint64_t left = kind == A_READ_WITH_EVENTFD ? N : 0, count; left; left -= count) {
        CHECK_INT(read(counter, &count, sizeof count), sizeof count);
        CHECK(count <= left);
    }
}

static void work(void)
{
    static const struct kind kinds[] = { { A_READ, IORING_OP_READ, "pread" },
                                         { A_READV, IORING_OP_READV, "preadv" },
                                         { A_WRITE, IORING_OP_WRITE, "pwrite" },
                                         { A_WRITEV, IORING_OP_WRITEV, "pwritev" },
                                         { A_READ_WITH_EVENTFD, IORING_OP_WRITE, "the eventfd's" },
                                         { A_READ, FUTEX_WAIT_ENTRY, "the doorbell's" } };

    falsify_all(kinds, 6, scratch_file("direct", O_RDWR | O_DIRECT, FILE_BYTES, 1), "O_DIRECT");
    /* Unless that is forbidden, writes go through the page cache in the calling thread. */
    falsify_all(kinds, getenv("URINGAIO_INLINE") ? 4 : 2, scratch_file("buffered", O_RDWR, FILE_BYTES, 1), "buffered");
    SAY("%ld falsified completions", survived);
    exit(failed);
}

int main(int argc, char **argv)
{
    (void)argc;
    return run_each(argv, work);
}
