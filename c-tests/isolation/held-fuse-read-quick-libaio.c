// face: libaio
/* Reads of a server's file have found everything in the page cache for long; then one has not, and its server does not answer.
   Until then each read has its bytes, its count at the end of the file, and the server's error where one was due; from then on
   other threads' libaio requests are done, and close, dup2, fcntl, munmap and io_destroy return. Writes likewise.

   [D1] The rule: the kernel's AIO has no thread that requests share; a request that sleeps, sleeps in the io_submit of
   its own thread or nowhere. */
#include "held-by-fuse.h"

#define FILE_SIZE (1 << 17)
#define BATCH 16

static io_context_t context;
static unsigned char *buffers[BATCH];

/* Reads blocks of the file, some of them across its end, a batch in a call. */
static void read_batch(int fd, unsigned round)
{
    struct io_event events[BATCH];
    struct iocb iocbs[BATCH], *list[BATCH];
    struct iovec vectors[BATCH];

    for (int i = 0; i < BATCH; i++) {
        off_t offset = (round * 7919 + i * 104729) % FILE_SIZE;

        list[i] = &iocbs[i];
        vectors[i] = (struct iovec){ buffers[i], BLOCK };
        if (i % 2)
            io_prep_preadv(&iocbs[i], fd, &vectors[i], 1, offset);
        else
            io_prep_pread(&iocbs[i], fd, buffers[i], BLOCK, offset);
    }
    CHECK_INT(io_submit(context, BATCH, list), BATCH);
    reap(context, BATCH, events);
    for (int i = 0; i < BATCH; i++) {
        long number = events[i].obj - iocbs;
        off_t offset = iocbs[number].u.c.offset;
        long expected = FILE_SIZE - offset < BLOCK ? FILE_SIZE - offset : BLOCK;

        CHECK_INT((long)events[i].res, expected);
        check_pattern_at(buffers[number], expected, 1, offset);
    }
}

int main(void)
{
    unsigned char *buffer;
    struct iocb iocb;
    int fd, other;

    start_deadline();
    fuse_start(FILE_SIZE, 1);
    fd = fuse_open("a", O_RDWR);
    other = fuse_open("b", O_RDWR);
    buffer = new_pages(BLOCK);
    for (int i = 0; i < BATCH; i++)
        buffers[i] = new_pages(BLOCK);
    context = make_context(BATCH);
    rest_prepare();
    STEP("reads that are in the page cache");
    for (unsigned round = 0; round < 200; round++)
        read_batch(fd, round);
    STEP("a read that the server answers with an error");
    MUST(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
    atomic_store(&fuse->read_error, EIO);
    atomic_store(&fuse->errors_left, 2);
    io_prep_pread(&iocb, fd, buffer, BLOCK, 0);
    CHECK_INT(outcome(context, &iocb), -EIO);
    atomic_store(&fuse->read_error, 0);
    STEP("reads after that");
    for (unsigned round = 0; round < 200; round++)
        read_batch(fd, round);
    STEP("a read that is held");
    MUST(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
    fuse_hold(FUSE_HOLD_READS);
    io_prep_pread(&held.iocb, fd, buffer, BLOCK, 0);
    held_by_fuse(BLOCK);
    CHECK(is_pattern(buffer, BLOCK, 1));
    STEP("writes");
    for (unsigned round = 0; round < 500; round++) {
        memset(buffer, round, BLOCK);
        io_prep_pwrite(&iocb, other, buffer, BLOCK, round % 32 * BLOCK);
        CHECK_INT(outcome(context, &iocb), BLOCK);
        CHECK(is_all(fuse->bytes + round % 32 * BLOCK, BLOCK, round & 0xff));
    }
    STEP("a write that is held");
    fuse_hold(FUSE_HOLD_WRITES);
    io_prep_pwrite(&held.iocb, other, buffer, BLOCK, 0);
    held_by_fuse(BLOCK);
    CHECK(is_all(fuse->bytes, BLOCK, 499 & 0xff));
    STEP("exit");
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
