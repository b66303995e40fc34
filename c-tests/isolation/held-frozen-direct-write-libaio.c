// face: libaio
/* An O_DIRECT write goes to a file system that is frozen (FIFREEZE), and it is the same thread that is to thaw it.
   Meanwhile other threads' libaio requests are done, and close, dup2, fcntl, munmap and io_destroy return.

   [D4] The rule: the kernel's AIO has no thread that requests share; a request that sleeps, sleeps in the io_submit of
   its own thread or nowhere. */
#include "behaviour.h"
#include "iocb.h"

#include "isolation.h"
#include "frozen-ext4.h"

int main(void)
{
    unsigned char *buffer;
    int fd;

    start_deadline();
    frozen_start();
    fd = frozen_file("file", O_RDWR | O_DIRECT);
    buffer = new_pages(BLOCK);
    fill_pattern(buffer, BLOCK, 3);
    CHECK_INT(pwrite(fd, buffer, BLOCK, 0), BLOCK);
    frozen_freeze();
    rest_prepare();
    io_prep_pwrite(&held.iocb, fd, buffer, BLOCK, 0);
    held_start();
    STEP("the request being held");
    rest_of_libaio_works();
    held_is_pending();
    frozen_thaw();
    held_ends(BLOCK);
    STEP("exit");
    return 0;
}
