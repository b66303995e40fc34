// face: libaio
/* Failures of buffered I/O that are known at once are events that are there when io_submit returns: a bad buffer, a file
   over RLIMIT_FSIZE, a closed pipe [A15]. */
#include "iocb.h"
#include <sys/resource.h>

int main(void)
{
    int fd = pattern_file(O_RDWR, 8192, 0), ends[2];
    struct rlimit limit = {16384, 16384};
    io_context_t context = make_context(8);
    struct timespec now = {0, 0};
    struct io_event events[3];
    struct iocb iocbs[3], *list[3] = {&iocbs[0], &iocbs[1], &iocbs[2]};
    char buffer[4096] = "";

    CHECK(pipe(ends) == 0);
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    io_prep_pread(&iocbs[0], fd, no_access(), 100, 0);
    io_prep_pwrite(&iocbs[1], ends[1], buffer, 100, 0);
    io_prep_pwrite(&iocbs[2], fd, buffer, 4096, 16384);
    CHECK_INT(io_submit(context, 3, list), 3);
    CHECK_INT(io_getevents(context, 0, 3, events, &now), 3);
    for (int i = 0; i < 3; i++) {
        static const int want[] = {-EFAULT, -EPIPE, -EFBIG};

        CHECK_INT((long)events[i].res, want[events[i].obj - iocbs]);
    }
    /* Up to the limit it is written, short. */
    io_prep_pwrite(&iocbs[2], fd, buffer, 4096, 14336);
    CHECK_INT(outcome(context, &iocbs[2]), 2048);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
