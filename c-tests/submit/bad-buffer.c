// face: libaio
/* A bad buffer gives what pread and pwrite give, in the event or at once, and nothing crashes [A16] [A13]. */
#include "iocb.h"

static long long plain(int writing, int fd, void *buffer, size_t size, off_t offset)
{
    long long ret = writing ? pwrite(fd, buffer, size, offset) : pread(fd, buffer, size, offset);

    return ret < 0 ? -errno : ret;
}

int main(void)
{
    int file = pattern_file(O_RDWR, 65536, 0), fds[] = {file, reopen(file, O_RDWR | O_DIRECT)};
    io_context_t context = make_context(8);
    char *pages = before_no_access(8192);
    struct {
        void *at;
        size_t size;
    } buffers[] = {{NULL, 4096}, {NULL, 0}, {no_access(), 4096}, {no_access(), 0}, {wild(0xffff800000000000), 4096},
                   {wild(0xffff800000000000), 0}, {pages, 8192}, {pages + 4096, 4096}, {pages + 8192, 4096},
                   {wild(UINTPTR_MAX), 512}, {wild(4096), 512}};

    for (size_t i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++)
        for (int d = 0; d < 2; d++)
            for (int writing = 0; writing < 2; writing++) {
                long long want = plain(writing, fds[d], buffers[i].at, buffers[i].size, 0), seen;
                struct iocb iocb;

                io_prep_pread(&iocb, fds[d], buffers[i].at, buffers[i].size, 0);
                iocb.aio_lio_opcode = writing ? IO_CMD_PWRITE : IO_CMD_PREAD;
                seen = outcome(context, &iocb);
                if (seen != want)
                    FAIL("buffer %zu, direct %d, writing %d: %lld, expected %lld", i, d, writing, seen, want);
            }
    none_left(context);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
