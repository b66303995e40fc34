/* A program that locks its memory, present and future, can use AIO, and does not pay gigabytes for the library's threads
   and rings [C4]; with RLIMIT_MEMLOCK at 0 and nothing locked AIO works too. LVM and real-time programs do so. */
#include "aiocb.h"
#include "process.h"

#include <sys/mman.h>

static void use_aio(int fd)
{
    char in[10];

    for (int i = 0; i < 20; i++) {
        struct aiocb cb = make_cb(fd, in, sizeof in, 0);

        CHECK_INT(aio_read(&cb), 0);
        CHECK_DONE(&cb, sizeof in);
        CHECK_INT(aio_fsync(O_DSYNC, &cb), 0);
        CHECK_DONE(&cb, 0);
    }
}

static long locked_kib(void)
{
    char value[64];

    CHECK(status_line(0, "VmLck", value, sizeof value));
    return atol(value);
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1);

    pid_t child = MUST(fork());
    if (child == 0) {
        set_limit(RLIMIT_MEMLOCK, 0);
        use_aio(fd);
        _exit(0);
    }
    CHECK_CHILD(child, 0);
    if (mlockall(MCL_CURRENT | MCL_FUTURE) == -1)
        SKIP("mlockall: %s", strerror(errno));
    long before = locked_kib();
    use_aio(fd);
    long more = locked_kib() - before;
    fprintf(stderr, "%ld KiB more are locked\n", more);
    CHECK(more < 100 * 1024);
    return 0;
}
