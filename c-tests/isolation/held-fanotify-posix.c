// face: posix
/* A read of a file needs the permission of a fanotify listener in the same process, which does AIO itself before it
   allows the read. Meanwhile the call that submitted it returns, other POSIX AIO requests are done, and close, dup2,
   fcntl and munmap return.

   [D2] The rule: glibc serves each descriptor by a helper thread, so that a request that sleeps delays no other and no
   call; aio_read(3), aio_write(3): the call returns when the request is queued. */
#include "isolation.h"
#include "fanotify.h"

int main(void)
{
    struct aiocb first;
    unsigned char *buffer;
    int fd, fanotify, question;

    start_deadline();
    buffer = new_pages(BLOCK);
    close(scratch_file("file", O_RDWR, BLOCK, 1));
    fanotify = fanotify_start("file");
    fd = MUST(open(test_path("file"), O_RDWR | O_CLOEXEC));
    rest_prepare();
    STEP("the submitting call");
    first = make_cb(fd, buffer, BLOCK, 0);
    CHECK_INT(aio_read(&first), 0);
    STEP("the request being held");
    question = fanotify_await(fanotify);
    rest_of_posix_works();
    CHECK_PENDING(&first);
    fanotify_allow(fanotify, question);
    STEP("the request that was held");
    CHECK_DONE(&first, BLOCK);
    CHECK(is_pattern(buffer, BLOCK, 1));
    STEP("exit");
    return 0;
}
