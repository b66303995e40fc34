// face: libaio
/* dup2 over the descriptor straight after io_submit does not redirect the I/O [A5]. */
#include "iocb.h"

int main(void)
{
    int right = pattern_file(O_RDWR, 1 << 20, 0), wrong = temp_file(O_RDWR);
    io_context_t context = make_context(8);
    char *buffer = aligned(8 * 4096);
    struct iocb iocbs[8], *list[8];
    struct io_event events[8];
    struct stat status;

    for (int round = 0; round < 100; round++) {
        int fd = reopen(right, O_RDWR | O_DIRECT);

        fill_pattern_at(buffer, 8 * 4096, 0, round);
        for (int i = 0; i < 8; i++) {
            list[i] = &iocbs[i];
            io_prep_pwrite(&iocbs[i], fd, buffer + i * 4096, 4096, i * 4096);
        }
        CHECK_INT(io_submit(context, 8, list), 8);
        if (round % 2) {
            CHECK_INT(dup2(wrong, fd), fd);
        } else {
            CHECK_INT(dup3(wrong, fd, O_CLOEXEC), fd);
        }
        reap(context, 8, events);
        for (int i = 0; i < 8; i++)
            CHECK_INT((long)events[i].res, 4096);
        CHECK_INT(pread(right, buffer, 8 * 4096, 0), 8 * 4096);
        check_pattern_at(buffer, 8 * 4096, 0, round);
        close(fd);
    }
    CHECK(fstat(wrong, &status) == 0);
    CHECK_INT(status.st_size, 0);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
