/* struct aiocb has glibc's layout, and a finished request's result lies where glibc's own aio_error looks for it [B1].
   A program may have been linked with a static copy of that function. */
// build: -D_LARGEFILE64_SOURCE
// columns: oracle preload threads without -- x86-64 and other 64-bit systems
#include "aiocb.h"

#include <stddef.h>

_Static_assert(sizeof(struct aiocb) == 168 && sizeof(struct aiocb64) == 168, "size");
_Static_assert(offsetof(struct aiocb, aio_fildes) == 0, "aio_fildes");
_Static_assert(offsetof(struct aiocb, aio_lio_opcode) == 4, "aio_lio_opcode");
_Static_assert(offsetof(struct aiocb, aio_reqprio) == 8, "aio_reqprio");
_Static_assert(offsetof(struct aiocb, aio_buf) == 16, "aio_buf");
_Static_assert(offsetof(struct aiocb, aio_nbytes) == 24, "aio_nbytes");
_Static_assert(offsetof(struct aiocb, aio_sigevent) == 32, "aio_sigevent");
_Static_assert(offsetof(struct aiocb, __error_code) == 112, "error code");
_Static_assert(offsetof(struct aiocb, __return_value) == 120, "return value");
_Static_assert(offsetof(struct aiocb, aio_offset) == 128, "aio_offset");
_Static_assert(offsetof(struct aiocb64, aio_offset) == 128, "aio_offset of aiocb64");

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1), ends[2];
    char bytes[64];
    struct aiocb cb = make_cb(fd, bytes, sizeof bytes, 90);

    CHECK_INT(aio_read(&cb), 0);
    AWAIT_CB(&cb);
    CHECK_INT(cb.__error_code, 0);
    CHECK_INT(cb.__return_value, 10);

    make_pipe(ends);
    cb = make_cb(ends[0], bytes, sizeof bytes, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_INT(*(volatile int *)&cb.__error_code, EINPROGRESS);
    close(ends[1]);
    AWAIT_CB(&cb);
    CHECK_INT(cb.__error_code, 0);
    CHECK_INT(cb.__return_value, 0);

    cb = make_cb(-1, bytes, sizeof bytes, 0);
    CHECK_INT(aio_read(&cb), 0);
    AWAIT_CB(&cb);
    CHECK_INT(cb.__error_code, EBADF);
    CHECK_INT(cb.__return_value, -1);
    return 0;
}
