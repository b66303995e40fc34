/* Bad pointers to the list, in the list, and to an iocb are EFAULT, not a crash (A16; io_submit(2)). */
#include "libaio-test.h"

int main(void)
{
    int fd = scratch(O_RDWR, 4096);
    io_context_t context = context_of(8);
    struct iocb iocb, *list[2] = {&iocb, NULL}, *constant;
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), buffer[16];
    struct io_event event;

    CHECK(pages != MAP_FAILED);
    CHECK(mprotect(pages + 4096, 4096, PROT_NONE) == 0);
    io_prep_pread(&iocb, fd, buffer, 16, 0);

    EQ(io_submit(context, 1, NULL), -EFAULT);
    EQ(io_submit(context, 1, no_access()), -EFAULT);
    EQ(io_submit(context, 1, wild(8)), -EFAULT);
    EQ(io_submit(context, 1, wild(0xffff800000000000)), -EFAULT);
    EQ(io_submit(context, 1, wild((uintptr_t)pages + 4092)), -EFAULT);
    EQ(io_submit(context, 1, &list[1]), -EFAULT);

    /* The second entry is bad: the first was taken. */
    EQ(io_submit(context, 2, list), 1);
    reap(context, 1, &event);
    list[1] = no_access();
    EQ(io_submit(context, 2, list), 1);
    reap(context, 1, &event);
    EQ(io_submit(context, 1, &list[1]), -EFAULT);
    list[1] = wild(0xffff800000000000);
    EQ(io_submit(context, 1, &list[1]), -EFAULT);
    /* An iocb whose end cannot be read. */
    list[1] = (struct iocb *)(pages + 4096 - sizeof(iocb) + 8);
    memcpy(list[1], &iocb, sizeof(iocb) - 8);
    EQ(io_submit(context, 1, &list[1]), -EFAULT);
    /* One that just fits. */
    list[1] = (struct iocb *)(pages + 4096 - sizeof(iocb));
    memmove(list[1], &iocb, sizeof(iocb));
    EQ(io_submit(context, 1, &list[1]), 1);
    reap(context, 1, &event);
    CHECK(event.obj == list[1]);
    EQ((long)event.res, 16);

    /* aio_key is written, so an iocb in constant memory is EFAULT too. */
    constant = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(constant != MAP_FAILED);
    *constant = iocb;
    CHECK(mprotect(constant, 4096, PROT_READ) == 0);
    EQ(io_submit(context, 1, &constant), -EFAULT);
    none_left(context);
    EQ(io_destroy(context), 0);
    return 0;
}
