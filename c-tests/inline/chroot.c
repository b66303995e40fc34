// face: libaio
/* An ordinary user in a root directory that is no mount of its own, where the kernel names no file system to him: buffered
   writes and reads from the page cache are done in io_submit as everywhere, and requests with O_DIRECT end.

   [A15] The kernel's AIO does them there (fs/aio.c, aio_read and aio_write). */
#include "behaviour.h"
#include "iocb.h"

#define BLOCK 4096
#define USER 65534

int main(void)
{
    struct io_event events[2];
    struct iocb iocbs[2], *list[2] = { &iocbs[0], &iocbs[1] };
    unsigned char *buffer = new_pages(BLOCK);
    io_context_t context;
    int fd, direct;

    start_deadline();
    if (geteuid() != 0)
        SKIP("only root changes its root directory");
    MUST(mkdir(test_path("root"), 0755));
    MUST(chroot(test_path("root")));
    MUST(chdir("/"));
    fd = MUST(open("/file", O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    direct = open("/file", O_RDWR | O_DIRECT | O_CLOEXEC);
    MUST(setgid(USER));
    MUST(setuid(USER));
    context = make_context(8);
    fill_pattern(buffer, BLOCK, 1);
    io_prep_pwrite(&iocbs[0], fd, buffer, BLOCK, 0);
    CHECK_INT(io_submit(context, 1, list), 1);
    CHECK_INT(io_getevents(context, 0, 1, events, &(struct timespec){ 0, 0 }), 1);
    CHECK_INT((long)events[0].res, BLOCK);
    memset(buffer, 0, BLOCK);
    io_prep_pread(&iocbs[0], fd, buffer, BLOCK, 0);
    io_prep_pread(&iocbs[1], fd, buffer, BLOCK, BLOCK);
    CHECK_INT(io_submit(context, 2, list), 2);
    CHECK_INT(io_getevents(context, 0, 2, events, &(struct timespec){ 0, 0 }), 2);
    CHECK(is_pattern(buffer, BLOCK, 1));
    if (direct != -1) {
        memset(buffer, 0, BLOCK);
        io_prep_pread(&iocbs[0], direct, buffer, BLOCK, 0);
        CHECK_INT(outcome(context, &iocbs[0]), BLOCK);
        CHECK(is_pattern(buffer, BLOCK, 1));
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
