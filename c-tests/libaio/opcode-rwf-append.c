/* RWF_APPEND writes at the end whatever the offset; RWF_NOAPPEND at the offset although O_APPEND is set (A13). */
#include "libaio-test.h"

#define APPEND 0x10
#define NOAPPEND 0x20

int main(void)
{
    int fd = scratch(O_RDWR, 10000), appending = reopen(fd, O_RDWR | O_APPEND);
    io_context_t context = context_of(8);
    char buffer[100], back[100];
    struct iocb iocb;
    struct stat status;
    long long ret;

    for (int i = 0; i < 10; i++) {
        fill(buffer, 100, i);
        io_prep_pwrite(&iocb, fd, buffer, 100, 5);
        iocb.aio_rw_flags = APPEND;
        EQ(outcome(context, &iocb), 100);
        CHECK(fstat(fd, &status) == 0);
        EQ(status.st_size, 10000 + 100 * (2 * i + 1));
        EQ(pread(fd, back, 100, status.st_size - 100), 100);
        check_bytes(back, 100, i);

        fill(buffer, 100, 1000 + i);
        io_prep_pwrite(&iocb, appending, buffer, 100, 7);
        EQ(outcome(context, &iocb), 100);
        CHECK(fstat(fd, &status) == 0);
        EQ(status.st_size, 10000 + 100 * (2 * i + 2));
        EQ(pread(fd, back, 100, status.st_size - 100), 100);
        check_bytes(back, 100, 1000 + i);
    }
    EQ(pread(fd, back, 100, 0), 100);
    check_bytes(back, 100, 0);

    fill(buffer, 100, 77);
    io_prep_pwrite(&iocb, appending, buffer, 100, 50);
    iocb.aio_rw_flags = NOAPPEND;
    ret = outcome(context, &iocb);
    if (ret != -EOPNOTSUPP) { /* older than Linux 6.9 */
        EQ(ret, 100);
        CHECK(fstat(fd, &status) == 0);
        EQ(status.st_size, 12000);
        EQ(pread(fd, back, 100, 50), 100);
        check_bytes(back, 100, 77);
    }
    EQ(io_destroy(context), 0);
    return 0;
}
