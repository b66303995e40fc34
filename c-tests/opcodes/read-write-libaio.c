// face: libaio
/* PREAD, PWRITE, PREADV and PWRITEV move the right bytes to the right places, and leave the file position alone [A13]. */
#include "iocb.h"

int main(void)
{
    int file = temp_file(O_RDWR), fds[2] = {file, reopen(file, O_RDWR | O_DIRECT)};
    io_context_t context = make_context(8);
    char *buffer = aligned(16384), *back = aligned(16384);

    for (int round = 0; round < 64; round++) {
        int fd = fds[round & 1], out = round & 2, in = round & 4;
        size_t unit = round & 1 ? 4096 : 777;
        long long offset = round * 4 * (long long)unit;
        struct iovec vectors[3] = {{buffer, unit}, {buffer + unit, 2 * unit}, {buffer + 3 * unit, unit}};
        struct iocb iocb;

        CHECK(lseek(fd, 12345, SEEK_SET) == 12345);
        fill_pattern_at(buffer, 4 * unit, 0, offset);
        if (out)
            io_prep_pwritev(&iocb, fd, vectors, 3, offset);
        else
            io_prep_pwrite(&iocb, fd, buffer, 4 * unit, offset);
        CHECK_INT(outcome(context, &iocb), 4 * unit);
        CHECK_INT(pread(file, back, 4 * unit, offset), 4 * unit);
        check_pattern_at(back, 4 * unit, 0, offset);
        memset(buffer, 0, 4 * unit);
        if (in)
            io_prep_preadv(&iocb, fd, vectors, 3, offset);
        else
            io_prep_pread(&iocb, fd, buffer, 4 * unit, offset);
        CHECK_INT(outcome(context, &iocb), 4 * unit);
        check_pattern_at(buffer, 4 * unit, 0, offset);
        CHECK_INT(lseek(fd, 0, SEEK_CUR), 12345);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
