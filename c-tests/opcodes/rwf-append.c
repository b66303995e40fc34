// face: libaio
/* RWF_APPEND writes at the end whatever the offset; RWF_NOAPPEND at the offset although O_APPEND is set [A13]. */
#include "iocb.h"

#define APPEND 0x10
#define NOAPPEND 0x20

int main(void)
{
    int fd = pattern_file(O_RDWR, 10000, 0), appending = reopen(fd, O_RDWR | O_APPEND);
    io_context_t context = make_context(8);
    char buffer[100], back[100];
    struct iocb iocb;
    struct stat status;
    long long ret;

    for (int i = 0; i < 10; i++) {
        fill_pattern_at(buffer, 100, 0, i);
        io_prep_pwrite(&iocb, fd, buffer, 100, 5);
        iocb.aio_rw_flags = APPEND;
        CHECK_INT(outcome(context, &iocb), 100);
        CHECK(fstat(fd, &status) == 0);
        CHECK_INT(status.st_size, 10000 + 100 * (2 * i + 1));
        CHECK_INT(pread(fd, back, 100, status.st_size - 100), 100);
        check_pattern_at(back, 100, 0, i);

        fill_pattern_at(buffer, 100, 0, 1000 + i);
        io_prep_pwrite(&iocb, appending, buffer, 100, 7);
        CHECK_INT(outcome(context, &iocb), 100);
        CHECK(fstat(fd, &status) == 0);
        CHECK_INT(status.st_size, 10000 + 100 * (2 * i + 2));
        CHECK_INT(pread(fd, back, 100, status.st_size - 100), 100);
        check_pattern_at(back, 100, 0, 1000 + i);
    }
    CHECK_INT(pread(fd, back, 100, 0), 100);
    check_pattern_at(back, 100, 0, 0);

    fill_pattern_at(buffer, 100, 0, 77);
    io_prep_pwrite(&iocb, appending, buffer, 100, 50);
    iocb.aio_rw_flags = NOAPPEND;
    ret = outcome(context, &iocb);
    if (ret != -EOPNOTSUPP) { /* older than Linux 6.9 */
        CHECK_INT(ret, 100);
        CHECK(fstat(fd, &status) == 0);
        CHECK_INT(status.st_size, 12000);
        CHECK_INT(pread(fd, back, 100, 50), 100);
        check_pattern_at(back, 100, 0, 77);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
