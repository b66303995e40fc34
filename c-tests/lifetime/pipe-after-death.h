/* The body of pipe-after-death-posix.c and pipe-after-death-libaio.c, which say what they do: read_fifo() leaves requests
   in flight on the FIFO. */
#include "behaviour.h"
#include "deaths.h"

#define IN_FLIGHT 4

static void read_fifo(int fd);

static void live(int unused, enum death death, int told)
{
    (void)unused;
    read_fifo(MUST(open(test_path("fifo"), O_RDONLY | O_CLOEXEC)));
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
