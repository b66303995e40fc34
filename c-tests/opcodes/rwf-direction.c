// face: libaio
/* Flags that a file does not take are refused before the direction that it was opened for is looked at, and flags that exclude
   each other before those that are for writes alone [A13] (kiocb_set_rw_flags of linux/fs.h comes first in aio_prep_rw of
   fs/aio.c). What is refused is asked of a descriptor for both directions. */
#include "iocb.h"

static io_context_t context;
static char *buffer;

static long long refusal(int fd, int writing, unsigned flags)
{
    struct iocb iocb, *list = &iocb;
    struct io_event event;
    int ret;

    if (writing)
        io_prep_pwrite(&iocb, fd, buffer, 4096, 0);
    else
        io_prep_pread(&iocb, fd, buffer, 4096, 0);
    iocb.aio_rw_flags = flags;
    ret = io_submit(context, 1, &list);
    if (ret == 1)
        reap(context, 1, &event);
    return ret == 1 ? 0 : ret;
}

int main(void)
{
    static const unsigned flags[] = {1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0x30, 0x41, 0x48, 0x70, 0xff, 0x80000000};
    int file = pattern_file(O_RDWR, 4096, 0);

    context = make_context(8);
    buffer = aligned(4096);
    for (int direct = 0; direct < 2; direct++)
        for (int writing = 0; writing < 2; writing++) {
            int mode = direct ? O_DIRECT : 0, fd = reopen(file, mode | (writing ? O_RDONLY : O_WRONLY));
            int both = reopen(file, mode | O_RDWR);

            for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++) {
                long long want = refusal(both, writing, flags[i]);

                if (want == 0)
                    want = -EBADF;
                if (refusal(fd, writing, flags[i]) != want)
                    FAIL("direct %d, writing %d, flags %#x: not %lld", direct, writing, flags[i], want);
            }
            close(fd);
            close(both);
        }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
