// face: libaio
/* IOCB_FLAG_IOPRIO: the classes and levels that ioprio_set takes are taken, others are EINVAL at io_submit; without the
   flag aio_reqprio means nothing [A13] (fs/aio.c aio_prep_rw, ioprio_check_cap). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, 65536, 0);
    io_context_t context = make_context(8);
    char *buffer = aligned(4096);

    for (int class = 0; class < 8; class++)
        for (int level = 0; level < 16; level++) {
            int priority = class << 13 | level;
            long long want = 4096, seen;
            struct iocb iocb;

            /* 1 is IOPRIO_WHO_PROCESS, 0 this thread; where it says EPERM so does io_submit. */
            if (syscall(SYS_ioprio_set, 1, 0, priority) < 0)
                want = -errno;
            CHECK(syscall(SYS_ioprio_set, 1, 0, 0) == 0);
            for (int opcode = 0; opcode < 2; opcode++) {
                io_prep_pread(&iocb, fd, buffer, 4096, 0);
                iocb.aio_lio_opcode = (short)opcode;
                iocb.aio_reqprio = (short)priority;
                CHECK_INT(outcome(context, &iocb), 4096);
                iocb.u.c.flags = IOPRIO;
                seen = outcome(context, &iocb);
                if (seen != want)
                    FAIL("class %d level %d opcode %d: %lld, expected %lld", class, level, opcode, seen, want);
            }
        }
    none_left(context);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
