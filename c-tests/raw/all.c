// face: libaio
/* A program that never calls libaio, only syscall(): setup, submit, reap, cancel, destroy. Its contexts
   stay the kernel's own [A2] (stress-ng, nginx). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, 65536, 0), ends[2];
    unsigned long context = 0;
    struct iocb iocbs[8], poll, *list[8], *polls = &poll;
    struct io_event events[9];
    char *buffer = aligned(8 * 4096);
    struct timespec now = {0, 0};
    long have = 0;

    CHECK(pipe(ends) == 0);
    CHECK_INT(syscall(SYS_io_setup, 16L, &context), 0);
    CHECK(context != 0);
    CHECK_INT(((struct ring *)context)->magic, 0xa10a10a1u);
    /* The kernel's own, unless the user opted in. */
    if (!getenv("URINGAIO_RAW"))
        CHECK(kernels_ring((void *)context));
    else if (runs_on() == SYSTEM || (runs_on() == URINGAIO && getenv("LD_PRELOAD")))
        CHECK_INT(kernels_ring((void *)context), runs_on() == SYSTEM);
    for (int round = 0; round < 20; round++) {
        memset(buffer, 0, 8 * 4096);
        for (int i = 0; i < 8; i++) {
            list[i] = &iocbs[i];
            io_prep_pread(&iocbs[i], fd, buffer + i * 4096, 4096, i * 4096);
        }
        CHECK_INT(syscall(SYS_io_submit, context, 8L, list), 8);
        for (have = 0; have < 8;) {
            long n = syscall(SYS_io_getevents, context, 1L, 8 - have, events + have, NULL);

            CHECK(n > 0);
            have += n;
        }
        for (int i = 0; i < 8; i++)
            CHECK_INT((long)events[i].res, 4096);
        check_pattern_at(buffer, 8 * 4096, 0, 0);
    }
    io_prep_poll(&poll, ends[0], POLLIN);
    CHECK_INT(syscall(SYS_io_submit, context, 1L, &polls), 1);
    CHECK_INT(syscall(SYS_io_getevents, context, 0L, 1L, events, &now), 0);
    CHECK_INT(syscall(SYS_io_cancel, context, &poll, events), -1);
    CHECK_INT(errno, EINPROGRESS);
    CHECK_INT(syscall(SYS_io_getevents, context, 1L, 1L, events, NULL), 1);
    CHECK(events[0].obj == &poll);
    CHECK_INT(syscall(SYS_io_destroy, context), 0);
    CHECK_INT(syscall(SYS_io_destroy, context), -1);
    CHECK_INT(errno, EINVAL);
    return 0;
}
