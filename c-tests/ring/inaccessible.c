// face: libaio
/* A context whose mapping may not be read is none, until it may be read again [A1] (fs/aio.c, lookup_ioctx; the AIO tests of
   gVisor). By the system calls' numbers, because libaio's own functions look into the ring. */
#include "iocb.h"

#include <sys/syscall.h>

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);
    io_context_t context = make_context(8);
    size_t page = page_size();
    struct timespec at_once = {0, 0};
    struct io_event event;
    struct iocb read, *list = &read;
    char buffer[4096];

    io_prep_pread(&read, fd, buffer, sizeof buffer, 0);
    CHECK(mprotect(context, page, PROT_NONE) == 0);
    CHECK_INT(syscall(SYS_io_submit, context, 1, &list), -1);
    CHECK_INT(errno, EINVAL);
    CHECK_INT(syscall(SYS_io_getevents, context, 0, 1, &event, &at_once), -1);
    CHECK_INT(errno, EINVAL);
    CHECK_INT(syscall(SYS_io_destroy, context), -1);
    CHECK_INT(errno, EINVAL);

    CHECK(mprotect(context, page, PROT_READ | PROT_WRITE) == 0);
    submit_one(context, &read);
    reap(context, 1, &event);
    CHECK_INT((long)event.res, 4096);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
