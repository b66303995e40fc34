/* A negative offset on a seekable file is EINVAL, through aio_error; it never means "the file position", as it does to
   io_uring [B4] [B15] (POSIX aio_read, EINVAL). */
#include "aiocb.h"

int main(void)
{
    int fd = temp_file(O_RDWR);
    char bytes[] = "0123456789";
    off_t offsets[] = { -1, -2, -4096, INT64_MIN, INT64_MIN + 1 };

    CHECK_INT(write(fd, bytes, 10), 10);
    CHECK_INT(lseek(fd, 5, SEEK_SET), 5);
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        struct aiocb cb = make_cb(fd, bytes, 4, offsets[i]);

        CHECK_INT(aio_read(&cb), 0);
        CHECK_ENDS_WITH(&cb, EINVAL);
        cb = make_cb(fd, "xxxx", 4, offsets[i]);
        CHECK_INT(aio_write(&cb), 0);
        CHECK_ENDS_WITH(&cb, EINVAL);
    }
    CHECK_INT(lseek(fd, 0, SEEK_CUR), 5);
    CHECK_INT(pread(fd, bytes, 10, 0), 10);
    CHECK_INT(memcmp(bytes, "0123456789", 10), 0);
    return 0;
}
