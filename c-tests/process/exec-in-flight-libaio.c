// face: libaio
/* exec with contexts open and I/O in flight: the new image starts clean and can use AIO [C3]. */
#include "iocb.h"

static void io(int leave)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, 65536, 0);
    io_context_t context = make_context(16);
    struct iocb iocbs[16], *list[16];
    struct io_event events[16];
    char *buffer = aligned(16 * 4096);

    for (int i = 0; i < 16; i++) {
        list[i] = &iocbs[i];
        io_prep_pread(&iocbs[i], fd, buffer + i * 4096, 4096, i * 4096);
    }
    CHECK_INT(io_submit(context, 16, list), 16);
    if (leave)
        return;
    reap(context, 16, events);
    check_pattern_at(buffer, 65536, 0, 0);
    CHECK_INT(io_destroy(context), 0);
}

int main(int argc, char **argv)
{
    int left = argc > 1 ? atoi(argv[1]) : 5;
    char next[16], *again[] = {argv[0], next, NULL};

    if (left == 0) {
        io(0);
        return 0;
    }
    snprintf(next, sizeof(next), "%d", left - 1);
    io(1);
    execv("/proc/self/exe", again);
    FAIL("exec: errno %d", errno);
}
