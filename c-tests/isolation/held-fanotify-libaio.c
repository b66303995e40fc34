// face: libaio
/* A read of a file needs the permission of a fanotify listener in the same process, which does AIO itself before it
   allows the read. Meanwhile other threads' libaio requests are done, and close, dup2, fcntl, munmap and io_destroy
   return.

   [D2] The rule: the kernel's AIO has no thread that requests share; a request that sleeps, sleeps in the io_submit of
   its own thread or nowhere. */
#include "behaviour.h"
#include "iocb.h"

#include "isolation.h"
#include "fanotify.h"

int main(void)
{
    unsigned char *buffer;
    int fd, fanotify, question;

    start_deadline();
    buffer = new_pages(BLOCK);
    close(scratch_file("file", O_RDWR, BLOCK, 1));
    fanotify = fanotify_start("file");
    fd = MUST(open(test_path("file"), O_RDWR | O_CLOEXEC));
    rest_prepare();
    io_prep_pread(&held.iocb, fd, buffer, BLOCK, 0);
    held_start();
    STEP("the request being held");
    question = fanotify_await(fanotify);
    rest_of_libaio_works();
    held_is_pending();
    fanotify_allow(fanotify, question);
    held_ends(BLOCK);
    CHECK(is_pattern(buffer, BLOCK, 1));
    STEP("exit");
    return 0;
}
