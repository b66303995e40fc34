/* Handlers of atexit and destructors may use AIO, for the first time in the process or after it was used [C3] [C6]. */
#include "aiocb.h"
#include "process.h"

static int fd;

static void use_aio(void)
{
    char in[10];
    struct aiocb cb = make_cb(fd, in, sizeof in, 0);

    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, sizeof in);
    CHECK(is_pattern(in, sizeof in, 1));
}

__attribute__((destructor)) static void last(void)
{
    if (fd)
        use_aio();
}

static void at_exit_as_child(int first_use)
{
    if (!first_use)
        use_aio();
    atexit(use_aio);
    exit(7);
}

int main(void)
{
    fd = pattern_file(O_RDWR, 100, 1);
    for (int i = 0; i < 4; i++) {
        pid_t child = MUST(fork());
        if (child == 0)
            at_exit_as_child(i % 2);
        CHECK_CHILD(child, 7);
    }
    use_aio();
    atexit(use_aio);
    return 0;
}
