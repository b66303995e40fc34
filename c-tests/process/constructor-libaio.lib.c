/* A library whose constructor, and whose exit handler, do I/O by libaio [C6]. */
#include "iocb.h"

int constructor_result = -1;

static int io(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, 65536, 0);
    io_context_t context = make_context(8);
    char *buffer = aligned(4096);
    struct iocb iocb;

    io_prep_pread(&iocb, fd, buffer, 4096, 8192);
    CHECK_INT(outcome(context, &iocb), 4096);
    check_pattern_at(buffer, 4096, 0, 8192);
    io_prep_pwrite(&iocb, fd, buffer, 4096, 65536);
    CHECK_INT(outcome(context, &iocb), 4096);
    CHECK_INT(io_destroy(context), 0);
    free(buffer);
    close(fd);
    return 0;
}

static void at_exit(void)
{
    io();
}

__attribute__((constructor)) static void construct(void)
{
    constructor_result = io();
    atexit(at_exit);
}

__attribute__((destructor)) static void destruct(void)
{
    io();
}
