/* aio_write and aio_read move the bytes at the offset and leave the file position alone [B15] (POSIX aio_read, aio_write). */
#include "aiocb.h"

int main(void)
{
    int fd = temp_file(O_RDWR);
    char out[10000], in[10000];
    struct aiocb write_cb = make_cb(fd, out, sizeof out, 4096);
    struct aiocb read_cb = make_cb(fd, in, sizeof in, 4096);

    fill_pattern(out, sizeof out, 1);
    CHECK_INT(aio_write(&write_cb), 0);
    CHECK_DONE(&write_cb, sizeof out);
    CHECK_INT(lseek(fd, 0, SEEK_END), 4096 + sizeof out);
    CHECK_INT(lseek(fd, 0, SEEK_SET), 0);

    CHECK_INT(aio_read(&read_cb), 0);
    CHECK_DONE(&read_cb, sizeof in);
    CHECK(is_pattern(in, sizeof in, 1));

    /* Past the end of the file a read is short, and at the end it gives 0. */
    read_cb = make_cb(fd, in, sizeof in, 4096 + 9000);
    CHECK_INT(aio_read(&read_cb), 0);
    CHECK_DONE(&read_cb, 1000);
    read_cb = make_cb(fd, in, sizeof in, 4096 + sizeof out);
    CHECK_INT(aio_read(&read_cb), 0);
    CHECK_DONE(&read_cb, 0);
    CHECK_INT(lseek(fd, 0, SEEK_CUR), 0);
    return 0;
}
