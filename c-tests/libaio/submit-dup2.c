/* dup2 over the descriptor straight after io_submit does not redirect the I/O (A5). */
#include "libaio-test.h"

int main(void)
{
    int right = scratch(O_RDWR, 1 << 20), wrong = scratch(O_RDWR, 0);
    io_context_t context = context_of(8);
    char *buffer = aligned(8 * 4096);
    struct iocb iocbs[8], *list[8];
    struct io_event events[8];
    struct stat status;

    for (int round = 0; round < 100; round++) {
        int fd = reopen(right, O_RDWR | O_DIRECT);

        fill(buffer, 8 * 4096, round);
        for (int i = 0; i < 8; i++) {
            list[i] = &iocbs[i];
            io_prep_pwrite(&iocbs[i], fd, buffer + i * 4096, 4096, i * 4096);
        }
        EQ(io_submit(context, 8, list), 8);
        if (round % 2) {
            EQ(dup2(wrong, fd), fd);
        } else {
            EQ(dup3(wrong, fd, O_CLOEXEC), fd);
        }
        reap(context, 8, events);
        for (int i = 0; i < 8; i++)
            EQ((long)events[i].res, 4096);
        EQ(pread(right, buffer, 8 * 4096, 0), 8 * 4096);
        check_bytes(buffer, 8 * 4096, round);
        close(fd);
    }
    CHECK(fstat(wrong, &status) == 0);
    EQ(status.st_size, 0);
    EQ(io_destroy(context), 0);
    return 0;
}
