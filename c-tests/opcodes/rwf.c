// face: libaio
/* aio_rw_flags: every one of the 32 bits is taken or refused as preadv2 and pwritev2 of the running kernel do, buffered
   and O_DIRECT [A13]. */
#include "iocb.h"

static long long plain(int writing, int fd, struct iovec *vector, off_t offset, int flags)
{
    ssize_t ret = writing ? pwritev2(fd, vector, 1, offset, flags) : preadv2(fd, vector, 1, offset, flags);

    return ret < 0 ? -errno : ret;
}

int main(void)
{
    int file = pattern_file(O_RDWR, 65536, 0), fds[2] = {file, reopen(file, O_RDWR | O_DIRECT)};
    io_context_t context = make_context(8);
    struct iovec vector = {aligned(4096), 4096};
    /* Pairs that go together or exclude each other, beside single bits. */
    static const unsigned pairs[] = {0x06, 0x30, 0x18, 0x0c, 0x22, 0x88, 0x40 | 0x10, 0xffffffff};

    for (int direct = 0; direct < 2; direct++)
        for (int writing = 0; writing < 2; writing++)
            for (int i = -1; i < 32 + (int)(sizeof(pairs) / sizeof(pairs[0])); i++) {
                unsigned flags = i < 0 ? 0 : i < 32 ? 1u << i : pairs[i - 32];
                long long want, seen;
                struct iocb iocb;

                /* In the page cache, so that RWF_NOWAIT has no reason of its own to refuse. */
                CHECK_INT(pread(file, vector.iov_base, 4096, 8192), 4096);
                want = plain(writing, fds[direct], &vector, 8192, (int)flags);
                CHECK_INT(pread(file, vector.iov_base, 4096, 8192), 4096);
                for (int vectored = 0; vectored < 2; vectored++) {
                    if (vectored)
                        io_prep_preadv2(&iocb, fds[direct], &vector, 1, 8192, (int)flags);
                    else
                        io_prep_pread(&iocb, fds[direct], vector.iov_base, 4096, 8192);
                    iocb.aio_rw_flags = flags;
                    if (writing)
                        iocb.aio_lio_opcode++;
                    seen = outcome(context, &iocb);
                    /* Whether it would wait is another question each time; whether the file can say so is not. */
                    if (seen != want && !(flags & 8 && want != -EOPNOTSUPP && (seen == -EAGAIN || want == -EAGAIN)))
                        FAIL("flags %#x, direct %d, writing %d, vectored %d: %lld, expected %lld", flags, direct, writing,
                             vectored, seen, want);
                }
            }
    none_left(context);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
