/* A forked child makes contexts of its own and does its I/O, and so does its child (A12; fio's jobs, daemons). */
#include "libaio-test.h"

static int fd;

static void io(int n)
{
    io_context_t context = context_of(32);
    struct iocb iocbs[32], *list[32];
    struct io_event events[32];
    char *buffer = aligned(32 * 4096);

    for (int i = 0; i < 32; i++) {
        list[i] = &iocbs[i];
        io_prep_pread(&iocbs[i], fd, buffer + i * 4096, 4096, (n + i) * 4096);
    }
    EQ(io_submit(context, 32, list), 32);
    reap(context, 32, events);
    for (int i = 0; i < 32; i++)
        EQ((long)events[i].res, 4096);
    check_bytes(buffer, 32 * 4096, n * 4096);
    EQ(io_destroy(context), 0);
    free(buffer);
}

int main(void)
{
    pid_t children[6];

    fd = scratch(O_RDWR | O_DIRECT, 1 << 20);
    io(0);
    for (int i = 0; i < 6; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            pid_t grandchild;

            if (i % 2)
                io(i);
            grandchild = fork();
            if (grandchild == 0) {
                io(i + 1);
                _exit(i + 20);
            }
            io(i + 2);
            EQ(exit_status(grandchild), i + 20);
            _exit(i);
        }
        io(i + 3);
    }
    for (int i = 0; i < 6; i++)
        EQ(exit_status(children[i]), i);
    io(99);
    return 0;
}
