// face: libaio
// columns: oracle preload engine threads without -- the drop-in alone does not see fanotify_init
/* A read of what is not in the page cache needs the permission of a fanotify listener in the same process. It is asked once, as
   for a plain read: a second question, which it does not answer, would hold the request for ever. Meanwhile other threads'
   libaio requests are done, and close, dup2, fcntl, munmap and io_destroy return.

   [D2] The rule: fanotify(7), FAN_ACCESS_PERM: one question for each read. */
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
    MUST(fdatasync(fd));
    MUST(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
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
