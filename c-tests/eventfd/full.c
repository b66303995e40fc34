// face: libaio
/* An eventfd whose count is at its limit delays nothing: events keep coming [A3] (the kernel's eventfd_signal never
   waits). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0), efd = eventfd(0, 0), ends[2];
    unsigned long long most = 0xfffffffffffffffeull;
    io_context_t context = make_context(8), other = make_context(8);
    struct iocb iocb, poll;
    struct io_event event, pair[2];
    char buffer[16];

    CHECK(pipe(ends) == 0);
    CHECK_INT(write(efd, &most, sizeof(most)), 8);
    io_prep_poll(&poll, ends[0], POLLIN);
    io_set_eventfd(&poll, efd);
    for (int i = 0; i < 20; i++) {
        io_prep_pread(&iocb, fd, buffer, 16, 0);
        io_set_eventfd(&iocb, efd);
        submit_one(context, &iocb);
        submit_one(context, &poll);
        CHECK_INT(write(ends[1], "x", 1), 1);
        reap(context, 2, pair);
        CHECK_INT(read(ends[0], buffer, 1), 1);
        io_prep_pread(&iocb, fd, buffer, 16, 0);
        submit_one(other, &iocb);
        reap(other, 1, &event);
        CHECK_INT((long)event.res, 16);
    }
    CHECK_INT(io_destroy(context), 0);
    CHECK_INT(io_destroy(other), 0);
    return 0;
}
