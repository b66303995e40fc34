// unsanitized: asan tsan -- the runtime has a handler and a thread of its own
/* A program that does no AIO has no thread, no descriptor and no handler more than it made itself [C4]. */
#include "aiocb.h"
#include "process.h"

int main(int argc, char **argv)
{
    struct aiocb cb;
    struct sigaction action;

    if (argc == 1) {
        /* Begin again with three descriptors, whatever this process was started with. */
        close_range(3, ~0U, 0);
        execl("/proc/self/exe", argv[0], "again", NULL);
        FAIL("exec: %s", strerror(errno));
    }
    CHECK_INT(count_threads(), 1);
    CHECK_INT(count_descriptors(), 3);
    /* These need no thread either. */
    memset(&cb, 0, sizeof cb);
    CHECK_INT(aio_error(&cb), 0);
    CHECK_INT(aio_return(&cb), 0);
    CHECK_INT(aio_cancel(0, NULL), AIO_ALLDONE);
    CHECK_INT(count_threads(), 1);
    for (int signal = 1; signal < SIGRTMIN; signal++) {
        if (signal == 32 || signal == 33 || sigaction(signal, NULL, &action) == -1)
            continue;
        CHECK(action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN);
    }
    return 0;
}
