// face: libaio
/* A write with RWF_NOWAIT that would have to wait says so, and not something else, when its descriptor is closed right after
   io_submit [A5] [A13] (io_submit(2): the request holds the file; a hole on ext4 or XFS cannot be filled without waiting). */
#include "direct.h"
#include "iocb.h"

int main(void)
{
    io_context_t context = make_context(8);
    char *buffer = aligned(BLOCK), name[256];

    snprintf(name, sizeof name, "%s", test_path("sparse"));
    for (int round = 0; round < 300; round++) {
        int fd = MUST(open(name, O_RDWR | O_DIRECT | O_CREAT | O_CLOEXEC, 0600));
        struct iovec vector = {buffer, BLOCK};
        struct io_event event;
        struct iocb iocb;
        int want;

        CHECK(ftruncate(fd, 0) == 0 && ftruncate(fd, 64 * BLOCK) == 0);
        want = pwritev2(fd, &vector, 1, 8 * BLOCK, RWF_NOWAIT) < 0 ? -errno : BLOCK;
        if (want != -EAGAIN)
            SKIP("this file system fills a hole without waiting, or cannot say: %d", want);
        io_prep_pwritev2(&iocb, fd, &vector, 1, 8 * BLOCK, RWF_NOWAIT);
        submit_one(context, &iocb);
        close(fd);
        reap(context, 1, &event);
        CHECK_INT((long)event.res, -EAGAIN);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
