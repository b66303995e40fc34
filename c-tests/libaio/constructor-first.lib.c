/* A library whose constructor, and whose exit handler, do I/O by libaio (C6). */
#include "libaio-test.h"

int constructor_result = -1;

static int io(void)
{
    int fd = scratch(O_RDWR | O_DIRECT, 65536);
    io_context_t context = context_of(8);
    char *buffer = aligned(4096);
    struct iocb iocb;

    io_prep_pread(&iocb, fd, buffer, 4096, 8192);
    EQ(outcome(context, &iocb), 4096);
    check_bytes(buffer, 4096, 8192);
    io_prep_pwrite(&iocb, fd, buffer, 4096, 65536);
    EQ(outcome(context, &iocb), 4096);
    EQ(io_destroy(context), 0);
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
