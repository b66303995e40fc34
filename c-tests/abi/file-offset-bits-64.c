/* A program built with -D_FILE_OFFSET_BITS=64, whose aio_read is aio_read64 by the header's redirection [B1]. */
// build: -D_FILE_OFFSET_BITS=64
#include "aiocb.h"

_Static_assert(sizeof(off_t) == 8, "off_t");

int main(void)
{
    int fd = temp_file(O_RDWR);
    off_t far = 3LL << 30;
    char out[2000], in[2000];
    struct aiocb write_cb = make_cb(fd, out, sizeof out, far), read_cb = make_cb(fd, in, sizeof in, far + 1000);
    struct aiocb sync_cb = make_cb(fd, NULL, 0, 0), *list[] = { &read_cb };

    fill_pattern(out, sizeof out, 5);
    CHECK_INT(aio_write(&write_cb), 0);
    CHECK_INT(aio_fsync(O_DSYNC, &sync_cb), 0);
    CHECK_DONE(&write_cb, sizeof out);
    CHECK_DONE(&sync_cb, 0);
    read_cb.aio_lio_opcode = LIO_READ;
    CHECK_INT(lio_listio(LIO_WAIT, list, 1, NULL), 0);
    CHECK_DONE(&read_cb, 1000);
    CHECK_INT(memcmp(in, out + 1000, 1000), 0);
    CHECK_INT(aio_cancel(fd, &read_cb), AIO_ALLDONE);
    return 0;
}
