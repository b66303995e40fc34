// face: posix
/* A write goes to a file system that is frozen (FIFREEZE), and it is the same thread that is to thaw it. Meanwhile the
   call that submitted it returns, other POSIX AIO requests are done, and close, dup2, fcntl and munmap return.

   [D4] The rule: glibc serves each descriptor by a helper thread, so that a request that sleeps delays no other and no
   call; aio_read(3), aio_write(3): the call returns when the request is queued. */
#include "isolation.h"
#include "frozen-ext4.h"

int main(void)
{
    struct aiocb first;
    unsigned char *buffer;
    int fd;

    start_deadline();
    frozen_start();
    fd = frozen_file("file", O_RDWR);
    buffer = new_pages(BLOCK);
    fill_pattern(buffer, BLOCK, 3);
    CHECK_INT(pwrite(fd, buffer, BLOCK, 0), BLOCK);
    frozen_freeze();
    rest_prepare();
    STEP("the submitting call");
    first = make_cb(fd, buffer, BLOCK, 0);
    CHECK_INT(aio_write(&first), 0);
    STEP("the request being held");
    rest_of_posix_works();
    CHECK_PENDING(&first);
    frozen_thaw();
    STEP("the request that was held");
    CHECK_DONE(&first, BLOCK);
    STEP("exit");
    return 0;
}
