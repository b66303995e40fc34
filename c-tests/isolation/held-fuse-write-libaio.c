// face: libaio
/* A write to a file whose server does not answer is held. Meanwhile other threads' libaio requests are done, and close,
   dup2, fcntl, munmap and io_destroy return.

   [D1] The rule: the kernel's AIO has no thread that requests share; a request that sleeps, sleeps in the io_submit of
   its own thread or nowhere. */
#include "held-by-fuse.h"

int main(void)
{
    unsigned char *buffer;
    int fd;

    start_deadline();
    fuse_start(BLOCK, 1);
    atomic_store(&fuse->open_flags, FOPEN_DIRECT_IO);
    fd = fuse_open("a", O_RDWR);
    buffer = new_pages(BLOCK);
    fuse_hold(FUSE_HOLD_WRITES);
    rest_prepare();
    io_prep_pwrite(&held.iocb, fd, buffer, BLOCK, 0);
    held_by_fuse(BLOCK);
    CHECK(is_all(fuse->bytes, BLOCK, 0));
    STEP("exit");
    return 0;
}
