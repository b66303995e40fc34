/* An eventfd whose count is at its limit holds up nobody: events keep coming (A3; the kernel's eventfd_signal never
 * waits). */
#include "libaio-test.h"

int main(void)
{
    int fd = scratch(O_RDWR, 4096), efd = eventfd(0, 0), ends[2];
    unsigned long long most = 0xfffffffffffffffeull;
    io_context_t context = context_of(8), other = context_of(8);
    struct iocb iocb, poll;
    struct io_event event, pair[2];
    char buffer[16];

    CHECK(pipe(ends) == 0);
    EQ(write(efd, &most, sizeof(most)), 8);
    io_prep_poll(&poll, ends[0], POLLIN);
    io_set_eventfd(&poll, efd);
    for (int i = 0; i < 20; i++) {
        io_prep_pread(&iocb, fd, buffer, 16, 0);
        io_set_eventfd(&iocb, efd);
        submit_one(context, &iocb);
        submit_one(context, &poll);
        EQ(write(ends[1], "x", 1), 1);
        reap(context, 2, pair);
        EQ(read(ends[0], buffer, 1), 1);
        io_prep_pread(&iocb, fd, buffer, 16, 0);
        submit_one(other, &iocb);
        reap(other, 1, &event);
        EQ((long)event.res, 16);
    }
    EQ(io_destroy(context), 0);
    EQ(io_destroy(other), 0);
    return 0;
}
