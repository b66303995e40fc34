// face: libaio
/* A descriptor that is not open is EBADF at once, also where its number equals that of an open one in the low 24 bits
   [A4]. */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);
    io_context_t context = make_context(16);
    char *buffer = aligned(4096);
    struct iocb iocb, *list = &iocb;

    io_prep_pread(&iocb, fd, buffer, 4096, 0);
    CHECK_INT(outcome(context, &iocb), 4096);
    io_prep_pread(&iocb, fd + (1 << 24), buffer, 4096, 0);
    CHECK_INT(io_submit(context, 1, &list), -EBADF);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
