// face: libaio
/* FSYNC and FDSYNC: res 0, on a read-only descriptor too; any field that they do not use must be 0 [A13] (fs/aio.c
   aio_fsync). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 65536, 0), reader = reopen(fd, O_RDONLY), null = open("/dev/null", O_RDWR), ends[2];
    io_context_t context = make_context(8);
    struct iocb iocb, writes[4], *list = &iocb, *several[5];
    struct io_event events[5];
    char buffer[4096];

    CHECK(pipe(ends) == 0);
    for (int data = 0; data < 2; data++) {
        short opcode = data ? IO_CMD_FDSYNC : IO_CMD_FSYNC;

        memset(&iocb, 0, sizeof(iocb));
        iocb.aio_lio_opcode = opcode;
        iocb.aio_fildes = fd;
        CHECK_INT(outcome(context, &iocb), 0);
        iocb.aio_fildes = reader;
        CHECK_INT(outcome(context, &iocb), 0);
        iocb.aio_fildes = null;
        CHECK_INT(io_submit(context, 1, &list), -EINVAL);
        iocb.aio_fildes = ends[1];
        CHECK_INT(io_submit(context, 1, &list), -EINVAL);
        iocb.aio_fildes = fd;
        iocb.u.c.buf = buffer;
        CHECK_INT(io_submit(context, 1, &list), -EINVAL);
        iocb.u.c.buf = NULL;
        iocb.u.c.nbytes = 1;
        CHECK_INT(io_submit(context, 1, &list), -EINVAL);
        iocb.u.c.nbytes = 0;
        iocb.u.c.offset = -1;
        CHECK_INT(io_submit(context, 1, &list), -EINVAL);
        iocb.u.c.offset = 0;
        iocb.aio_rw_flags = 2;
        CHECK_INT(io_submit(context, 1, &list), -EINVAL);
        iocb.aio_rw_flags = 0;
        iocb.aio_reqprio = 0x7fff;
        iocb.u.c.flags = IOPRIO;
        CHECK_INT(outcome(context, &iocb), 0);
        iocb.u.c.flags = 0;

        /* In one list with writes. */
        for (int i = 0; i < 4; i++) {
            io_prep_pwrite(&writes[i], fd, buffer, 4096, i * 4096);
            several[i] = &writes[i];
        }
        several[4] = &iocb;
        CHECK_INT(io_submit(context, 5, several), 5);
        reap(context, 5, events);
        for (int i = 0; i < 5; i++)
            CHECK_INT((long)events[i].res, events[i].obj == &iocb ? 0 : 4096);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
