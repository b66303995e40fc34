// face: libaio
/* Forking with I/O in flight does not disturb the parent, whatever the children do [A12] [C3]. */
#include "iocb.h"

#define N 64

int main(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, N * 4096, 0), efd = eventfd(0, EFD_CLOEXEC);
    io_context_t context = make_context(N);
    struct iocb iocbs[N], *list[N];
    struct io_event events[N];
    char *buffer = mmap(NULL, N * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    CHECK(buffer != MAP_FAILED);
    for (int round = 0; round < 30; round++) {
        unsigned long long count, sum = 0;
        pid_t pid;

        memset(buffer, 0, N * 4096);
        for (int i = 0; i < N; i++) {
            list[i] = &iocbs[i];
            io_prep_pread(&iocbs[i], fd, buffer + i * 4096, 4096, i * 4096);
            io_set_eventfd(&iocbs[i], efd);
        }
        CHECK_INT(io_submit(context, N, list), N);
        pid = fork();
        if (pid == 0) {
            if (round % 3 == 0)
                CHECK_INT(io_destroy(context), -EINVAL);
            if (round % 3 == 1)
                exit(7);
            _exit(7);
        }
        while (sum < N) {
            CHECK_INT(read(efd, &count, sizeof(count)), 8);
            sum += count;
        }
        CHECK_INT(sum, N);
        reap(context, N, events);
        for (int i = 0; i < N; i++)
            CHECK_INT((long)events[i].res, 4096);
        check_pattern_at(buffer, N * 4096, 0, 0);
        CHECK_CHILD(pid, 7);
        none_left(context);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
