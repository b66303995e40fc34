/* The body of io-uring-restricted-posix.c and io-uring-restricted-libaio.c, which say what they do. */
#include "io-uring-restricted.h"

static const struct {
    const char *served_by;
    struct allowed allowed;
} lists[] = {
    { IO_URING, { { OP_WRITE, OP_FUTEX_WAIT }, NEEDED_FLAGS, EVERY_REGISTER } },
    { IO_URING, { { OP_WRITE, OP_FUTEX_WAIT }, NEEDED_FLAGS, FILES_AND_UPDATE } },
    { IO_URING, { { OP_WRITE, OP_POLL_ADD, OP_FILES_UPDATE }, NEEDED_FLAGS, FILES_ALONE } },
    { IO_URING, { { OP_WRITE, OP_FUTEX_WAIT, OP_FILES_UPDATE }, NEEDED_FLAGS, FILES_ALONE } },
    { WORKERS, { { OP_WRITE }, NEEDED_FLAGS, EVERY_REGISTER } },
    { WORKERS, { { OP_WRITE, OP_FUTEX_WAIT }, NEEDED_FLAGS, NO_REGISTER } },
    { WORKERS, { EVERYTHING, 0, EVERY_REGISTER } },
    { WORKERS, { EVERYTHING, 1, EVERY_REGISTER } },
    { IO_URING, { EVERYTHING, NEEDED_FLAGS, EVERY_REGISTER } },
};

int main(int argc, char **argv)
{
    static const unsigned char everything[] = EVERYTHING;

    if (argc > 1)
        return restricted(argv[1]);
    start_deadline();
    /* What the library says is printed where this fails. */
    setenv("URINGAIO_LOG", "1", 1);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        run_restricted(&lists[i].allowed, lists[i].served_by);
    /* Everything less each. */
    for (size_t without = 0; without < sizeof everything; without++) {
        struct allowed allowed = { .flags = NEEDED_FLAGS, .registers = EVERY_REGISTER };
        int count = 0;

        for (size_t i = 0; i < sizeof everything; i++)
            if (i != without)
                allowed.operations[count++] = everything[i];
        run_restricted(&allowed, everything[without] == OP_WRITE ? WORKERS : IO_URING);
    }
    return 0;
}
