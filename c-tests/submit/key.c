// face: libaio
/* io_submit sets aio_key to 0 (KIOCB_KEY), as soon as the descriptor is good, whatever the opcode [A4] (fs/aio.c). */
#include "iocb.h"

int main(void)
{
    static const int opcodes[] = {IO_CMD_PREAD, IO_CMD_PWRITE, IO_CMD_FSYNC, IO_CMD_FDSYNC, IO_CMD_POLL, IO_CMD_PREADV,
                                  IO_CMD_PWRITEV, IO_CMD_NOOP, 77};
    int fd = pattern_file(O_RDWR, 4096, 0);
    io_context_t context = make_context(8);
    char buffer[16] = "";
    struct iovec vector = {buffer, 16};

    for (size_t i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++) {
        struct iocb iocb, copy, *list = &iocb;
        struct io_event event;

        memset(&iocb, 0, sizeof(iocb));
        if (opcodes[i] <= IO_CMD_PWRITE)
            io_prep_pread(&iocb, fd, buffer, 16, 0);
        if (opcodes[i] == IO_CMD_POLL)
            iocb.u.poll.events = POLLIN;
        if (opcodes[i] == IO_CMD_PREADV || opcodes[i] == IO_CMD_PWRITEV)
            io_prep_preadv(&iocb, fd, &vector, 1, 0);
        iocb.aio_lio_opcode = (short)opcodes[i];
        iocb.aio_fildes = fd;
        iocb.key = 0xdeadbeef;
        iocb.data = &iocb;
        copy = iocb;
        if (opcodes[i] == IO_CMD_NOOP || opcodes[i] == 77) {
            CHECK_INT(io_submit(context, 1, &list), -EINVAL);
        } else {
            submit_one(context, &iocb);
            reap(context, 1, &event);
            CHECK((long)event.res >= 0);
        }
        CHECK_INT(iocb.key, 0);
        /* Nothing else in the iocb is touched. */
        copy.key = 0;
        CHECK(memcmp(&copy, &iocb, sizeof(iocb)) == 0);
        /* A bad descriptor is found first. */
        iocb.key = 0xdeadbeef;
        iocb.aio_fildes = -1;
        CHECK_INT(io_submit(context, 1, &list), -EBADF);
        CHECK_INT(iocb.key, 0xdeadbeef);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
