// face: posix
/* A write to a pipe takes its bytes from a mapped page of a file whose server does not answer. Meanwhile the call that
   submitted it returns, other POSIX AIO requests are done, and close, dup2, fcntl and munmap return.

   [D2] The rule: glibc serves each descriptor by a helper thread, so that a request that sleeps delays no other and no
   call; aio_read(3), aio_write(3): the call returns when the request is queued. */
#include "isolation.h"
#include "fuse-server.h"

int main(void)
{
    struct aiocb first;
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
    STEP("the submitting call");
    first = make_cb(ends[1], page, BLOCK, 0);
    CHECK_INT(aio_write(&first), 0);
    STEP("the request being held");
    WAIT_UNTIL(atomic_load(&fuse->held) > 0);
    rest_of_posix_works();
    CHECK_PENDING(&first);
    fuse_release();
    STEP("the request that was held");
    CHECK_DONE(&first, BLOCK);
    CHECK_INT(read(ends[0], got, BLOCK), BLOCK);
    CHECK(is_pattern(got, BLOCK, 1));
    STEP("exit");
    return 0;
}
