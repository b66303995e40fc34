// face: libaio
// columns: oracle preload drop-in threads -- the column engine keeps O_DIRECT away from the kernel's AIO, which reads holes in io_submit
/* What the kernel finishes inside io_submit on an O_DIRECT file has its event in the ring when io_submit returns: a
   read of a hole, at and past the end of the file, of no bytes, and the -EINVAL of a misaligned read and write. Two
   hundred times each.

   [F11] fs/aio.c: a request that does not return -EIOCBQUEUED is completed before io_submit returns. libaio's harness,
   case 17, and programs that look once after io_submit. */
#include "behaviour.h"
#include "iocb.h"

#define ROUNDS 200
#define BLOCK 4096
#define SIZE (64 * BLOCK)

static io_context_t context;

/* The request's event is there when io_submit returns, read from the ring in memory or by io_getevents with no time. */
static void check_done(const char *what, struct iocb *iocb, long result)
{
    struct timespec no_time = { 0, 0 };
    struct io_event event;
    int late = 0;

    STEP(what);
    for (int round = 0; round < ROUNDS; round++) {
        int there;

        submit_one(context, iocb);
        there = round % 2 ? ring_ready(context) == 1 : io_getevents(context, 0, 1, &event, &no_time) == 1;
        late += !there;
        if (!there || round % 2)
            reap(context, 1, &event);
        CHECK_INT((long)event.res, result);
    }
    if (late)
        FAIL("%s: no event when io_submit returned in %d of %d", what, late, ROUNDS);
}

int main(void)
{
    struct iocb iocb;
    unsigned char *buffer;
    int fd;

    start_deadline();
    buffer = new_pages(2 * BLOCK);
    context = make_context(8);
    fd = scratch_file("file", O_RDWR | O_DIRECT, BLOCK, 1);
    MUST(ftruncate(fd, SIZE));
    io_prep_pread(&iocb, fd, buffer, BLOCK, 8 * BLOCK);
    check_done("a read of a hole", &iocb, BLOCK);
    io_prep_pread(&iocb, fd, buffer, BLOCK, SIZE);
    check_done("a read at the end of the file", &iocb, 0);
    io_prep_pread(&iocb, fd, buffer, BLOCK, SIZE + 16 * BLOCK);
    check_done("a read past the end of the file", &iocb, 0);
    io_prep_pread(&iocb, fd, buffer, 0, 0);
    check_done("a read of no bytes", &iocb, 0);
    io_prep_pwrite(&iocb, fd, buffer, 0, 0);
    check_done("a write of no bytes", &iocb, 0);
    io_prep_pread(&iocb, fd, buffer + 1, BLOCK, 0);
    check_done("a misaligned read", &iocb, -EINVAL);
    io_prep_pwrite(&iocb, fd, buffer + 1, BLOCK, 0);
    check_done("a misaligned write", &iocb, -EINVAL);
    io_prep_pwrite(&iocb, fd, buffer, BLOCK, 1);
    check_done("a write at a misaligned offset", &iocb, -EINVAL);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
