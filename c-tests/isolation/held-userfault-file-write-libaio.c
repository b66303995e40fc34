// face: libaio
/* A buffered write takes its bytes from a page that is not there (userfaultfd), and the handler of the page itself does
   AIO before it fills the page. Meanwhile other threads' libaio requests are done, and close, dup2, fcntl, munmap and
   io_destroy return.

   [D2] The rule: the kernel's AIO has no thread that requests share; a request that sleeps, sleeps in the io_submit of
   its own thread or nowhere. */
#include "behaviour.h"
#include "iocb.h"

#include "isolation.h"
#include "userfault.h"

int main(void)
{
    struct userfault u;
    unsigned char got[BLOCK];
    int fd;

    start_deadline();
    u = userfault_map(BLOCK);
    fd = scratch_file("file", O_RDWR, BLOCK, 1);
    rest_prepare();
    io_prep_pwrite(&held.iocb, fd, u.pages, BLOCK, 0);
    held_start();
    STEP("the request being held");
    userfault_await(&u);
    rest_of_libaio_works();
    held_is_pending();
    userfault_fill(&u, 2);
    held_ends(BLOCK);
    CHECK_INT(pread(fd, got, BLOCK, 0), BLOCK);
    CHECK(is_pattern(got, BLOCK, 2));
    STEP("exit");
    return 0;
}
