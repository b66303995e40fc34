/* A child made by syscall(SYS_clone), which runs no fork handlers, finds the parent's contexts gone all the same and
 * does not disturb them (A12, A2). */
#include "libaio-test.h"

int main(void)
{
    int fd = scratch(O_RDWR | O_DIRECT, 65536);
    io_context_t context = context_of(16);
    struct iocb iocbs[16], *list[16];
    struct io_event events[16];
    char *buffer = aligned(16 * 4096);

    for (int round = 0; round < 10; round++) {
        long pid;

        for (int i = 0; i < 16; i++) {
            list[i] = &iocbs[i];
            io_prep_pread(&iocbs[i], fd, buffer + i * 4096, 4096, i * 4096);
        }
        EQ(io_submit(context, 16, list), 16);
        pid = syscall(SYS_clone, (long)SIGCHLD, NULL, NULL, NULL, NULL);
        if (pid == 0) {
            struct iocb *one = &iocbs[0];

            EQ(io_submit(context, 1, &one), -EINVAL);
            EQ(io_destroy(context), -EINVAL);
            _exit(5);
        }
        EQ(exit_status((pid_t)pid), 5);
        reap(context, 16, events);
        for (int i = 0; i < 16; i++)
            EQ((long)events[i].res, 4096);
        none_left(context);
    }
    EQ(io_destroy(context), 0);
    return 0;
}
