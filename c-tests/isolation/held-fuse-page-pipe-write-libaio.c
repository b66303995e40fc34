// face: libaio
/* A write to a pipe takes its bytes from a mapped page of a file whose server does not answer. Meanwhile other threads'
   libaio requests are done, and close, dup2, fcntl, munmap and io_destroy return.

   [D2] The rule: the kernel's AIO has no thread that requests share; a request that sleeps, sleeps in the io_submit of
   its own thread or nowhere. */
#include "held-by-fuse.h"

int main(void)
{
    unsigned char *page, got[BLOCK];
    int ends[2], fd;

    start_deadline();
    fuse_start(BLOCK, 1);
    fd = fuse_open("a", O_RDWR);
    page = mmap(NULL, BLOCK, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(page != MAP_FAILED);
    make_pipe(ends);
    fuse_hold(FUSE_HOLD_READS);
    rest_prepare();
    io_prep_pwrite(&held.iocb, ends[1], page, BLOCK, 0);
    held_by_fuse(BLOCK);
    CHECK_INT(read(ends[0], got, BLOCK), BLOCK);
    CHECK(is_pattern(got, BLOCK, 1));
    STEP("exit");
    return 0;
}
