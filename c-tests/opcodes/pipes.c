// face: libaio
/* Pipes: reads of what is there, writes that fit, end of file, no reader (EPIPE, SIGPIPE as the kernel), any offset
   [A13]. */
#include "iocb.h"

int main(void)
{
    io_context_t context = make_context(8);
    char buffer[4096], byte = 'x';
    struct iovec vectors[2] = {{buffer, 3}, {buffer + 3, 100}};
    struct iocb iocb;
    int ends[2];

    signal(SIGPIPE, SIG_IGN);
    CHECK(pipe(ends) == 0);
    for (int i = 0; i < 100; i++) {
        io_prep_pwrite(&iocb, ends[1], "hello, world", 12, i % 3 ? 0 : 1000);
        CHECK_INT(outcome(context, &iocb), 12);
        memset(buffer, 0, sizeof(buffer));
        io_prep_pread(&iocb, ends[0], buffer, sizeof(buffer), i % 5 ? 0 : 4096);
        if (i % 2)
            io_prep_preadv(&iocb, ends[0], vectors, 2, 0);
        CHECK_INT(outcome(context, &iocb), 12);
        CHECK(strcmp(buffer, "hello, world") == 0);
    }
    io_prep_pread(&iocb, ends[0], buffer, 16, -1);
    CHECK_INT(outcome(context, &iocb), -EINVAL);
    /* Non-blocking: nothing there, no room. */
    CHECK(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
    io_prep_pread(&iocb, ends[0], buffer, 16, 0);
    CHECK_INT(outcome(context, &iocb), -EAGAIN);
    CHECK(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    while (write(ends[1], &byte, 1) == 1 && write(ends[1], buffer, sizeof(buffer)) > 0)
        ;
    io_prep_pwrite(&iocb, ends[1], buffer, sizeof(buffer), 0);
    CHECK_INT(outcome(context, &iocb), -EAGAIN);
    while (read(ends[0], buffer, sizeof(buffer)) > 0)
        ;
    close(ends[1]);
    io_prep_pread(&iocb, ends[0], buffer, 16, 0);
    CHECK_INT(outcome(context, &iocb), 0);
    CHECK(pipe(ends) == 0);
    close(ends[0]);
    io_prep_pwrite(&iocb, ends[1], buffer, 16, 0);
    CHECK_INT(outcome(context, &iocb), -EPIPE);
    none_left(context);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
