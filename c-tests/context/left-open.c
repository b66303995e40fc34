// face: libaio
/* A process may end with contexts open and requests in flight, by exit, _exit or return, and what was submitted before
   has then either happened in full or not; the exit status is its own [A8] [C3]. */
#include "iocb.h"

static int child(int fd, int way)
{
    static struct iocb iocbs[50][4];
    char *buffer = aligned(4096);
    int ends[2];

    CHECK(pipe(ends) == 0);
    fill_pattern_at(buffer, 4096, 0, 0);
    for (int i = 0; i < 50; i++) {
        io_context_t context = make_context(8);
        struct iocb *list[] = {&iocbs[i][0], &iocbs[i][1], &iocbs[i][2]};

        io_prep_poll(list[0], ends[0], POLLIN);
        io_prep_pwrite(list[1], fd, buffer, 4096, i * 4096);
        io_prep_pread(list[2], fd, aligned(4096), 4096, i * 4096);
        CHECK_INT(io_submit(context, 3, list), 3);
    }
    if (way == 0)
        _exit(42);
    if (way == 1)
        exit(42);
    return 42;
}

int main(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, 1 << 20, 0);

    for (int way = 0; way < 3; way++) {
        pid_t pid = fork();

        if (pid == 0)
            return child(fd, way);
        CHECK_CHILD(pid, 42);
    }
    return 0;
}
