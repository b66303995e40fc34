// face: libaio
/* Bad pointers to the list, in the list, and to an iocb are EFAULT, not a crash [A16] (io_submit(2)). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);
    io_context_t context = make_context(8);
    struct iocb iocb, *list[2] = {&iocb, NULL}, *constant;
    char *pages = before_no_access(4096), buffer[16];
    struct io_event event;

    io_prep_pread(&iocb, fd, buffer, 16, 0);

    CHECK_INT(io_submit(context, 1, NULL), -EFAULT);
    CHECK_INT(io_submit(context, 1, no_access()), -EFAULT);
    CHECK_INT(io_submit(context, 1, wild(8)), -EFAULT);
    CHECK_INT(io_submit(context, 1, wild(0xffff800000000000)), -EFAULT);
    CHECK_INT(io_submit(context, 1, wild((uintptr_t)pages + 4092)), -EFAULT);
    CHECK_INT(io_submit(context, 1, &list[1]), -EFAULT);

    /* The second entry is bad: the first was taken. */
    CHECK_INT(io_submit(context, 2, list), 1);
    reap(context, 1, &event);
    list[1] = no_access();
    CHECK_INT(io_submit(context, 2, list), 1);
    reap(context, 1, &event);
    CHECK_INT(io_submit(context, 1, &list[1]), -EFAULT);
    list[1] = wild(0xffff800000000000);
    CHECK_INT(io_submit(context, 1, &list[1]), -EFAULT);
    /* An iocb whose end cannot be read. */
    list[1] = (struct iocb *)(pages + 4096 - sizeof(iocb) + 8);
    memcpy(list[1], &iocb, sizeof(iocb) - 8);
    CHECK_INT(io_submit(context, 1, &list[1]), -EFAULT);
    /* One that just fits. */
    list[1] = (struct iocb *)(pages + 4096 - sizeof(iocb));
    memmove(list[1], &iocb, sizeof(iocb));
    CHECK_INT(io_submit(context, 1, &list[1]), 1);
    reap(context, 1, &event);
    CHECK(event.obj == list[1]);
    CHECK_INT((long)event.res, 16);

    /* aio_key is written, so an iocb in constant memory is EFAULT too. */
    constant = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(constant != MAP_FAILED);
    *constant = iocb;
    CHECK(mprotect(constant, 4096, PROT_READ) == 0);
    CHECK_INT(io_submit(context, 1, &constant), -EFAULT);
    none_left(context);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
