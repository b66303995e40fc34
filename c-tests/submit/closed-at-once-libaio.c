// face: libaio
/* close(fd) straight after io_submit, and the same number for another file at once: the I/O still goes to the file it
   was submitted for [A5] (LVM, multipath). */
#include "iocb.h"

#define N 16

int main(void)
{
    int right = pattern_file(O_RDWR, N * 4096, 0), wrong = temp_file(O_RDWR);
    io_context_t context = make_context(N);
    struct iocb iocbs[N], *list[N];
    struct io_event events[N];
    char *buffer = aligned(N * 4096), *back = aligned(N * 4096);
    struct stat status;

    for (int round = 0; round < 100; round++) {
        int writing = round % 2, fd = reopen(right, round % 4 < 3 ? O_RDWR | O_DIRECT : O_RDWR);

        memset(buffer, 0, N * 4096);
        for (int i = 0; i < N; i++) {
            list[i] = &iocbs[i];
            if (writing) {
                fill_pattern_at(buffer + i * 4096, 4096, 0, i * 4096);
                io_prep_pwrite(&iocbs[i], fd, buffer + i * 4096, 4096, i * 4096);
            } else {
                io_prep_pread(&iocbs[i], fd, buffer + i * 4096, 4096, i * 4096);
            }
        }
        if (writing)
            CHECK_INT(pwrite(right, back, N * 4096, 0), N * 4096);
        if (writing)
            CHECK(fsync(right) == 0);
        CHECK_INT(io_submit(context, N, list), N);
        CHECK(close(fd) == 0);
        CHECK_INT(fcntl(wrong, F_DUPFD, fd), fd);
        reap(context, N, events);
        for (int i = 0; i < N; i++)
            CHECK_INT((long)events[i].res, 4096);
        CHECK(close(fd) == 0);
        if (writing) {
            char *again = aligned(N * 4096);

            CHECK_INT(pread(right, again, N * 4096, 0), N * 4096);
            check_pattern_at(again, N * 4096, 0, 0);
            free(again);
        } else {
            check_pattern_at(buffer, N * 4096, 0, 0);
        }
    }
    CHECK(fstat(wrong, &status) == 0);
    CHECK_INT(status.st_size, 0);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
