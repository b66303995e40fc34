// face: posix
/* A process ends with reads of a FIFO in flight, by SIGKILL, exit, _exit or exec; once it has been waited for, the FIFO
   has no reader: a write gets EPIPE.

   [E2] pipe(7): a write without a reader fails with EPIPE; wait(2): a process that has been waited for has no
   descriptors. */
#include "aiocb.h"
#include "behaviour.h"
#include "deaths.h"

#define IN_FLIGHT 4

static void live(int unused, enum death death, int told)
{
    static struct aiocb cbs[IN_FLIGHT];
    static char bytes[IN_FLIGHT];
    int fd = MUST(open(test_path("fifo"), O_RDONLY | O_CLOEXEC));

    (void)unused;
    for (int i = 0; i < IN_FLIGHT; i++) {
        cbs[i] = make_cb(fd, &bytes[i], 1, 0);
        CHECK_INT(aio_read(&cbs[i]), 0);
    }
    die(death, told);
}

int main(void)
{
    int failed = 0;

    start_deadline();
    signal(SIGPIPE, SIG_IGN);
    MUST(mkfifo(test_path("fifo"), 0600));
    for (enum death death = 0; death < DEATHS; death++) {
        int kept = 0;

        STEP(death_names[death]);
        for (int round = 0; round < ROUNDS; round++) {
            int reader = MUST(open(test_path("fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
            int writer = MUST(open(test_path("fifo"), O_WRONLY | O_CLOEXEC));

            close(reader);
            live_and_die(live, 0, death);
            if (write(writer, "x", 1) != -1 || errno != EPIPE)
                kept++;
            close(writer);
        }
        if (kept) {
            fprintf(stderr, "after %s: the FIFO still had a reader in %d of %d rounds\n", death_names[death], kept,
                    ROUNDS);
            failed = 1;
        }
    }
    return failed;
}
