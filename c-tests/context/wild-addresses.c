// face: libaio
/* What is not a context is EINVAL: any number, unmapped address or memory that only looks like a ring
   [A16] (fs/aio.c lookup_ioctx). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);
    io_context_t real = make_context(8);
    struct ring *copy = aligned(4096);
    struct timespec soon = {0, 1000000};
    struct iocb iocb, *list = &iocb;
    struct io_event event;
    char buffer[16];
    void *wrong[] = {NULL, wild(1), wild(UINTPTR_MAX), wild(0xffff800000000000), wild(4096), no_access(), aligned(4096), copy,
                     (char *)real + 1, (char *)real + 4096, &iocb};

    memcpy(copy, real, 4096);
    io_prep_pread(&iocb, fd, buffer, 16, 0);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        io_context_t context = wrong[i];

        CHECK_INT(io_submit(context, 1, &list), -EINVAL);
        CHECK_INT(io_cancel(context, &iocb, &event), -EINVAL);
        CHECK_INT(io_destroy(context), -EINVAL);
        CHECK_INT(io_queue_release(context), -EINVAL);
        /* libaio's io_getevents reads the ring's magic first, so only what can be read. */
        if (context == NULL || (void *)context == copy || wrong[i] == (void *)&iocb || i == 6) {
            CHECK_INT(io_getevents(context, 1, 1, &event, &soon), -EINVAL);
            CHECK_INT(io_getevents(context, 0, 1, &event, NULL), -EINVAL);
        }
    }
    submit_one(real, &iocb);
    reap(real, 1, &event);
    CHECK_INT((long)event.res, 16);
    CHECK_INT(io_destroy(real), 0);
    return 0;
}
