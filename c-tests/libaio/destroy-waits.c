/* io_destroy returns when nothing is in flight any more: the buffers are the program's, what was written is in the file
 * (A8; multipath and sbd free their buffers at once). */
#include "libaio-test.h"

#define N 64

int main(void)
{
    int fd = scratch(O_RDWR | O_DIRECT, N * 16384), plain = reopen(fd, O_RDWR);
    char *buffer = aligned(N * 16384), *back = aligned(N * 16384);
    struct iocb iocbs[N], *list[N];

    for (int round = 0; round < 20; round++) {
        io_context_t context = context_of(N);
        int writing = round % 2;

        if (writing)
            fill(buffer, N * 16384, round);
        for (int i = 0; i < N; i++) {
            list[i] = &iocbs[i];
            io_prep_pread(&iocbs[i], round % 4 < 2 ? fd : plain, buffer + i * 16384, 16384, i * 16384);
            iocbs[i].aio_lio_opcode = writing ? IO_CMD_PWRITE : IO_CMD_PREAD;
        }
        EQ(io_submit(context, N, list), N);
        EQ(io_destroy(context), 0);
        if (writing) {
            EQ(pread(fd, back, N * 16384, 0), N * 16384);
            check_bytes(back, N * 16384, round);
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
