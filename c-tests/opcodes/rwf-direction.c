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
    /* Some kernels know RWF_DONTCACHE (0x80) and some do not; files in memory do not take it. */
    int files[] = {pattern_file(O_RDWR, 4096, 0), MUST(memfd_create("file", MFD_CLOEXEC))};

    context = make_context(8);
    buffer = aligned(4096);
    MUST(ftruncate(files[1], 4096));
    for (int kind = 0; kind < 3; kind++)
        for (int writing = 0; writing < 2; writing++) {
            int mode = kind == 1 ? O_DIRECT : 0, file = files[kind / 2], fd = reopen(file, mode | (writing ? O_RDONLY : O_WRONLY));
            int both = reopen(file, mode | O_RDWR);

            for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++) {
                long long want = refusal(both, writing, flags[i]);

                /* Whether a file that cannot be read takes RWF_NOWAIT (8) is not to be found out: docs/limits.md. */
                if (kind == 2 && flags[i] & 8)
                    continue;
                if (want == 0)
                    want = -EBADF;
                if (refusal(fd, writing, flags[i]) != want)
                    FAIL("kind %d, writing %d, flags %#x: not %lld", kind, writing, flags[i], want);
            }
            close(fd);
            close(both);
        }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
