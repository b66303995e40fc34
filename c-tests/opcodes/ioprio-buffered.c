// face: libaio
/* IOCB_FLAG_IOPRIO where another thread does it: reads of what is not in the page cache, writes and flushes with every priority
   that a program may have are what they are without one [A13] (fs/aio.c, aio_prep_rw). */
#include "iocb.h"

#define SIZE 65536

int main(void)
{
    static const int priorities[] = { 2 << 13, 2 << 13 | 7, 3 << 13, 0 }; /* best effort, the least of it, idle, none */
    int fd = pattern_file(O_RDWR, SIZE, 0), append = reopen(fd, O_RDWR | O_SYNC);
    io_context_t context = make_context(8);
    char *buffer = aligned(SIZE);

    for (int round = 0; round < 40; round++) {
        struct iovec halves[2] = { { buffer, SIZE / 2 }, { buffer + SIZE / 2, SIZE / 2 } };
        struct iocb iocbs[3];

        MUST(fsync(fd));
        MUST(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
        memset(buffer, 0, SIZE);
        if (round % 2)
            io_prep_pread(&iocbs[0], fd, buffer, SIZE, 0);
        else
            io_prep_preadv(&iocbs[0], fd, halves, 2, 0);
        io_prep_pwrite(&iocbs[1], append, buffer, SIZE, 0);
        io_prep_fdsync(&iocbs[2], fd);
        for (int i = 0; i < 3; i++) {
            iocbs[i].aio_reqprio = (short)priorities[round % 4];
            iocbs[i].u.c.flags = IOPRIO;
            CHECK_INT(outcome(context, &iocbs[i]), i < 2 ? SIZE : 0);
        }
        check_pattern_at(buffer, SIZE, 0, 0);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
