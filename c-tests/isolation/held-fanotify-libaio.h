/* The body of held-fanotify-libaio.c and held-fanotify-uncached-libaio.c, which say what it does: PREPARE(fd) readies the file. */
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
    PREPARE(fd);
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
