// face: posix
/* An O_DIRECT read goes into a page that is not there (userfaultfd), and the handler of the page itself does AIO before
   it fills the page. Meanwhile the call that submitted it returns, other POSIX AIO requests are done, and close, dup2,
   fcntl and munmap return.

   [D2] The rule: glibc serves each descriptor by a helper thread, so that a request that sleeps delays no other and no
   call; aio_read(3), aio_write(3): the call returns when the request is queued. */
#include "isolation.h"
#include "userfault.h"

int main(void)
{
    struct aiocb first;
    struct userfault u;
    int fd;

    start_deadline();
    u = userfault_map(BLOCK);
    fd = scratch_file("file", O_RDWR | O_DIRECT, BLOCK, 1);
    rest_prepare();
    STEP("the submitting call");
    first = make_cb(fd, u.pages, BLOCK, 0);
    CHECK_INT(aio_read(&first), 0);
    STEP("the request being held");
    userfault_await(&u);
    rest_of_posix_works();
    CHECK_PENDING(&first);
    userfault_fill(&u, 2);
    STEP("the request that was held");
    CHECK_DONE(&first, BLOCK);
    CHECK(is_pattern(u.pages, BLOCK, 1));
    STEP("exit");
    return 0;
}
