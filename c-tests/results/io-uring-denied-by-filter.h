/* The body of io-uring-denied-by-filter-posix.c and io-uring-denied-by-filter-libaio.c, which say what they do. */
#include "io-uring-restricted.h"

int main(int argc, char **argv)
{
    static const unsigned char everything[] = EVERYTHING;

    if (argc > 1)
        return restricted(argv[1]);
    start_deadline();
    /* What the library says is printed where this fails. */
    setenv("URINGAIO_LOG", "1", 1);
    for (size_t i = 0; i < sizeof everything; i++) {
        pid_t child = fork_child();
        int status;

        if (child == 0) {
            if (!restrict_by_filter(everything[i]))
                SKIP("no filters on operations here: %s", strerror(errno));
            execl("/proc/self/exe", "/proc/self/exe", everything[i] == OP_WRITE ? WORKERS : IO_URING, NULL);
            FAIL("/proc/self/exe: %s", strerror(errno));
        }
        status = await_child(child);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
            return 77;
        if (status)
            FAIL("operation %d denied: wait status %#x", everything[i], status);
    }
    return 0;
}
