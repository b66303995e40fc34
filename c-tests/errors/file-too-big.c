/* A write past RLIMIT_FSIZE ends with EFBIG, and SIGXFSZ does not end the program [B4] (POSIX aio_write, EFBIG; glibc's
   threads block the signal). Up to the limit the write is short, as write(2) is. */
#include "aiocb.h"
#include "process.h"

int main(void)
{
    char bytes[4096] = { 0 };
    int fd = temp_file(O_RDWR);

    signal(SIGXFSZ, SIG_DFL);
    set_limit(RLIMIT_FSIZE, 6000);
    struct aiocb cb = make_cb(fd, bytes, sizeof bytes, 6000);
    CHECK_INT(aio_write(&cb), 0);
    CHECK_ENDS_WITH(&cb, EFBIG);
    cb = make_cb(fd, bytes, sizeof bytes, 4096);
    CHECK_INT(aio_write(&cb), 0);
    CHECK_DONE(&cb, 6000 - 4096);
    cb = make_cb(fd, bytes, sizeof bytes, 1 << 30);
    CHECK_INT(aio_write(&cb), 0);
    CHECK_ENDS_WITH(&cb, EFBIG);
    return 0;
}
