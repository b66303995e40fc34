// face: libaio
/* PREADV and PWRITEV: 1,024 segments work, 1,025 are EINVAL; none, empty ones, overflow and bad pointers as the kernel
   says [A13] (fs/aio.c aio_setup_rw, import_iovec). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 65536, 0);
    io_context_t context = make_context(8);
    static struct iovec vectors[1025];
    static char memory[1025][7];
    struct iocb iocb;

    for (int i = 0; i < 1025; i++)
        vectors[i] = (struct iovec){memory[i], 7};
    io_prep_preadv(&iocb, fd, vectors, 1024, 3);
    CHECK_INT(outcome(context, &iocb), 1024 * 7);
    check_pattern_at(memory, 1024 * 7, 0, 3);
    io_prep_pwritev(&iocb, fd, vectors, 1024, 3);
    CHECK_INT(outcome(context, &iocb), 1024 * 7);
    io_prep_preadv(&iocb, fd, vectors, 1025, 0);
    CHECK_INT(outcome(context, &iocb), -EINVAL);
    io_prep_pwritev(&iocb, fd, vectors, 1025, 0);
    CHECK_INT(outcome(context, &iocb), -EINVAL);
    io_prep_preadv(&iocb, fd, vectors, 0, 0);
    CHECK_INT(outcome(context, &iocb), 0);
    io_prep_preadv(&iocb, fd, NULL, 0, 0);
    CHECK_INT(outcome(context, &iocb), 0);
    io_prep_preadv(&iocb, fd, NULL, 1, 0);
    CHECK_INT(outcome(context, &iocb), -EFAULT);
    io_prep_preadv(&iocb, fd, no_access(), 2, 0);
    CHECK_INT(outcome(context, &iocb), -EFAULT);
    io_prep_preadv(&iocb, fd, wild(0xffff800000000000), 2, 0);
    CHECK_INT(outcome(context, &iocb), -EFAULT);
    /* Of the count only the lower 32 bits are looked at, once it is not negative. */
    io_prep_preadv(&iocb, fd, vectors, 1, 0);
    iocb.u.c.nbytes = 0x100000001;
    CHECK_INT(outcome(context, &iocb), 7);
    iocb.u.c.nbytes = (unsigned long)-1;
    CHECK_INT(outcome(context, &iocb), -EINVAL);

    vectors[0].iov_len = 0;
    vectors[2].iov_len = 0;
    io_prep_preadv(&iocb, fd, vectors, 4, 100);
    CHECK_INT(outcome(context, &iocb), 14);
    check_pattern_at(memory[1], 7, 0, 100);
    check_pattern_at(memory[3], 7, 0, 107);
    vectors[1].iov_len = SIZE_MAX;
    io_prep_preadv(&iocb, fd, vectors, 4, 0);
    CHECK_INT(outcome(context, &iocb), -EINVAL);
    vectors[1] = (struct iovec){wild(0xffff800000000000), 7};
    io_prep_preadv(&iocb, fd, vectors, 4, 0);
    CHECK_INT(outcome(context, &iocb), -EFAULT);
    /* A segment that cannot be written ends the read where preadv ends it. */
    vectors[1] = (struct iovec){no_access(), 7};
    vectors[2] = vectors[0] = (struct iovec){memory[0], 7};
    io_prep_preadv(&iocb, fd, vectors, 4, 0);
    CHECK_INT(outcome(context, &iocb), preadv(fd, vectors, 4, 0));
    none_left(context);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
