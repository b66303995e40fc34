// face: libaio
/* Reads are short only where pread's are: at the end of the file, and 0 beyond it [A6] (sysbench, fio and tgt take a
   short read for a failure). */
#include "iocb.h"

#define SIZE (3 * 1048576 + 1000)

int main(void)
{
    static const struct {
        long long offset;
        size_t length, want;
    } reads[] = {{0, SIZE, SIZE},           {0, SIZE + 1, SIZE},      {0, 4 << 20, SIZE},
                 {SIZE - 1, 1, 1},          {SIZE - 1, 4096, 1},      {SIZE, 4096, 0},
                 {SIZE + 5000, 4096, 0},    {1, 1048576, 1048576},    {3 << 20, 4096, 1000},
                 {4096, 2 << 20, 2 << 20},  {1LL << 40, 4096, 0},     {123, 0, 0}};
    int fd = pattern_file(O_RDWR, SIZE, 0), direct = reopen(fd, O_RDWR | O_DIRECT);
    io_context_t context = make_context(8);
    char *buffer = aligned(4 << 20);

    for (int cold = 0; cold < 2; cold++) {
        if (cold) {
            CHECK(fsync(fd) == 0);
            posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        }
        for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++)
            for (int d = 0; d < 2; d++)
                for (int vector = 0; vector < 2; vector++) {
                    struct iovec whole = {buffer, reads[i].length};
                    struct iocb iocb;

                    if (d && (reads[i].offset % 4096 || reads[i].length % 4096))
                        continue;
                    memset(buffer, 0, reads[i].length);
                    if (vector)
                        io_prep_preadv(&iocb, d ? direct : fd, &whole, 1, reads[i].offset);
                    else
                        io_prep_pread(&iocb, d ? direct : fd, buffer, reads[i].length, reads[i].offset);
                    CHECK_INT(outcome(context, &iocb), reads[i].want);
                    check_pattern_at(buffer, reads[i].want, 0, reads[i].offset);
                }
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
