// face: libaio
/* The buffer may be unmapped while the I/O is in flight: O_DIRECT holds its pages from io_submit on, buffered I/O of
   cached pages is over by then, and nothing crashes [A5] [A15]. */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 1 << 20, 0), direct = reopen(fd, O_RDWR | O_DIRECT);
    io_context_t context = make_context(16);

    for (int round = 0; round < 200; round++) {
        char *buffer = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        struct iocb iocbs[4], *list[4];
        struct io_event events[4];

        CHECK(buffer != MAP_FAILED);
        fill_pattern_at(buffer, 65536, 0, 0);
        for (int i = 0; i < 4; i++) {
            list[i] = &iocbs[i];
            io_prep_pread(&iocbs[i], i < 2 ? direct : fd, buffer + i * 16384, 16384, i * 16384);
            iocbs[i].aio_lio_opcode = i % 2 ? IO_CMD_PWRITE : IO_CMD_PREAD;
        }
        CHECK_INT(io_submit(context, 4, list), 4);
        CHECK(munmap(buffer, 65536) == 0);
        reap(context, 4, events);
        for (int i = 0; i < 4; i++)
            CHECK_INT((long)events[i].res, 16384);
    }
    char *back = aligned(65536);
    CHECK_INT(pread(direct, back, 65536, 0), 65536);
    check_pattern_at(back, 65536, 0, 0);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
