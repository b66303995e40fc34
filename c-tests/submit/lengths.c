// face: libaio
/* Absurd lengths and offsets: what io_submit refuses, and otherwise what pread and pwrite give [A4] (fs/aio.c). */
#include "iocb.h"

int main(void)
{
    static const size_t lengths[] = {0, 1, 4096, 0x7ffff000, 0x7fffffff, 0x100000000, SSIZE_MAX};
    static const size_t refused[] = {(size_t)SSIZE_MAX + 1, SIZE_MAX, SIZE_MAX - 4095};
    static const long long offsets[] = {0, 1, 4095, 4096, 1LL << 40, LLONG_MAX - 4096, LLONG_MAX - 1, LLONG_MAX,
                                        -1, -2, -4096, LLONG_MIN};
    int fd = pattern_file(O_RDWR, 4096, 0);
    io_context_t context = make_context(8);
    char *buffer = aligned(65536);
    struct iocb iocb;

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        for (int writing = 0; writing < 2; writing++) {
            struct iocb *list = &iocb;

            io_prep_pread(&iocb, fd, buffer, refused[i], 0);
            iocb.aio_lio_opcode = (short)writing;
            CHECK_INT(io_submit(context, 1, &list), -EINVAL);
        }
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        for (size_t k = 0; k < sizeof(offsets) / sizeof(offsets[0]); k++) {
            size_t length = lengths[i] < 0x7ffff000 ? lengths[i] : 0x7ffff000; /* MAX_RW_COUNT cuts it, no error */
            long long want = pread(fd, buffer, length, offsets[k]), seen;

            if (want < 0)
                want = -errno;
            io_prep_pread(&iocb, fd, buffer, lengths[i], offsets[k]);
            seen = outcome(context, &iocb);
            if (seen != want)
                FAIL("length %zu at %lld: %lld, expected %lld", lengths[i], offsets[k], seen, want);
        }
    /* Writing: only where nothing can be written. */
    for (size_t k = 7; k < sizeof(offsets) / sizeof(offsets[0]); k++) {
        long long want = pwrite(fd, buffer, 16, offsets[k]);

        CHECK(want < 0);
        want = -errno;
        io_prep_pwrite(&iocb, fd, buffer, 16, offsets[k]);
        CHECK_INT(outcome(context, &iocb), want);
    }
    none_left(context);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
