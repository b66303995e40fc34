// face: libaio
/* A context made by syscall(SYS_io_setup) may be used through libaio's functions, and one made by io_setup destroyed by
   the system call [A2]. */
#include "iocb.h"

static void use(io_context_t context, int fd)
{
    struct iocb iocb, *list = &iocb;
    struct io_event event;
    char buffer[16];

    io_prep_pread(&iocb, fd, buffer, 16, 3);
    for (int i = 0; i < 8; i++) {
        CHECK_INT(i & 1 ? io_submit(context, 1, &list) : syscall(SYS_io_submit, context, 1L, &list), 1);
        if (i & 2)
            CHECK_INT(i & 4 ? io_getevents(context, 1, 1, &event, NULL) : io_pgetevents(context, 1, 1, &event, NULL, NULL), 1);
        else
            CHECK_INT(syscall(SYS_io_getevents, context, 1L, 1L, &event, NULL), 1);
        CHECK_INT((long)event.res, 16);
        check_pattern_at(buffer, 16, 0, 3);
    }
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);

    for (int round = 0; round < 10; round++) {
        io_context_t raw = NULL, made;

        CHECK_INT(syscall(SYS_io_setup, 8L, &raw), 0);
        made = make_context(8);
        use(raw, fd);
        use(made, fd);
        use(raw, fd);
        CHECK_INT(io_destroy(raw), 0);
        CHECK_INT(syscall(SYS_io_destroy, made), 0);
        CHECK_INT(io_destroy(made), -EINVAL);
        CHECK_INT(syscall(SYS_io_destroy, raw), -1);
        CHECK_INT(errno, EINVAL);
    }
    return 0;
}
