// face: libaio
/* A forked child makes contexts of its own and does its I/O, and so does its child [A12] (fio's jobs, daemons). */
#include "iocb.h"

static int fd;

static void io(int n)
{
    io_context_t context = make_context(32);
    struct iocb iocbs[32], *list[32];
    struct io_event events[32];
    char *buffer = aligned(32 * 4096);

    for (int i = 0; i < 32; i++) {
        list[i] = &iocbs[i];
        io_prep_pread(&iocbs[i], fd, buffer + i * 4096, 4096, (n + i) * 4096);
    }
    CHECK_INT(io_submit(context, 32, list), 32);
    reap(context, 32, events);
    for (int i = 0; i < 32; i++)
        CHECK_INT((long)events[i].res, 4096);
    check_pattern_at(buffer, 32 * 4096, 0, n * 4096);
    CHECK_INT(io_destroy(context), 0);
    free(buffer);
}

int main(void)
{
    pid_t children[6];

    fd = pattern_file(O_RDWR | O_DIRECT, 1 << 20, 0);
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
            CHECK_CHILD(grandchild, i + 20);
            _exit(i);
        }
        io(i + 3);
    }
    for (int i = 0; i < 6; i++)
        CHECK_CHILD(children[i], i);
    io(99);
    return 0;
}
