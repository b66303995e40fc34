// face: libaio
/* io_destroy returns when nothing is in flight any more: the program owns its buffers again, and what was written is in the
   file [A8] (multipath and sbd free their buffers at once). */
#include "iocb.h"

#define N 64

int main(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, N * 16384, 0), plain = reopen(fd, O_RDWR);
    char *buffer = aligned(N * 16384), *back = aligned(N * 16384);
    struct iocb iocbs[N], *list[N];

    for (int round = 0; round < 20; round++) {
        io_context_t context = make_context(N);
        int writing = round % 2;

        if (writing)
            fill_pattern_at(buffer, N * 16384, 0, round);
        for (int i = 0; i < N; i++) {
            list[i] = &iocbs[i];
            io_prep_pread(&iocbs[i], round % 4 < 2 ? fd : plain, buffer + i * 16384, 16384, i * 16384);
            iocbs[i].aio_lio_opcode = writing ? IO_CMD_PWRITE : IO_CMD_PREAD;
        }
        CHECK_INT(io_submit(context, N, list), N);
        CHECK_INT(io_destroy(context), 0);
        if (writing) {
            CHECK_INT(pread(fd, back, N * 16384, 0), N * 16384);
            check_pattern_at(back, N * 16384, 0, round);
            continue;
        }
        /* Nothing writes into the buffers any more. */
        memset(buffer, 0x5a, N * 16384);
        usleep(2000);
        for (int i = 0; i < N * 16384; i++)
            if (buffer[i] != 0x5a)
                FAIL("byte %d was written after io_destroy", i);
    }
    return 0;
}
