// face: libaio
/* A child made by syscall(SYS_clone), which runs no fork handlers, finds the parent's contexts gone all the same and
   does not disturb them [A12] [A2]. */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, 65536, 0);
    io_context_t context = make_context(16);
    struct iocb iocbs[16], *list[16];
    struct io_event events[16];
    char *buffer = aligned(16 * 4096);

    for (int round = 0; round < 10; round++) {
        long pid;

        for (int i = 0; i < 16; i++) {
            list[i] = &iocbs[i];
            io_prep_pread(&iocbs[i], fd, buffer + i * 4096, 4096, i * 4096);
        }
        CHECK_INT(io_submit(context, 16, list), 16);
        pid = syscall(SYS_clone, (long)SIGCHLD, NULL, NULL, NULL, NULL);
        if (pid == 0) {
            struct iocb *one = &iocbs[0];

            CHECK_INT(io_submit(context, 1, &one), -EINVAL);
            CHECK_INT(io_destroy(context), -EINVAL);
            _exit(5);
        }
        CHECK_CHILD((pid_t)pid, 5);
        reap(context, 16, events);
        for (int i = 0; i < 16; i++)
            CHECK_INT((long)events[i].res, 4096);
        none_left(context);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
