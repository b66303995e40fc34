// face: posix
/* Two processes read one terminal, line by line; each line goes to one of them. While the read of the other goes on,
   other POSIX AIO requests are done, and close, dup2, fcntl and munmap return.

   [D1] The rule: poll(2) says "ready" to both readers of a terminal, and a read of the one that comes too late sleeps;
   in glibc in a helper thread that serves nothing else. */
#include "isolation.h"
#include "terminal.h"

#define LINES 20

static atomic_int *taken, *quit, *reading;

/* The other reader: counts the lines that it gets. */
static void read_lines(int fd)
{
    char line[64];

    while (!atomic_load(quit)) {
        atomic_fetch_add(reading, 1);
        if (read(fd, line, sizeof line) > 0)
            atomic_fetch_add(taken, 1);
    }
    END_PROCESS(0);
}

int main(void)
{
    struct terminal t;
    struct aiocb first;
    char line[64];
    pid_t other;
    int lines, pending = 0;

    start_deadline();
    t = canonical_terminal();
    taken = new_shared(4096);
    quit = taken + 1;
    reading = taken + 2;
    other = fork_child();
    if (other == 0)
        read_lines(t.terminal);
    rest_prepare();
    for (lines = 0; lines < LINES; lines++) {
        WAIT_UNTIL(atomic_load(reading) > atomic_load(taken) && thread_state(other, other) == 'S');
        if (!pending) {
            first = make_cb(t.terminal, line, sizeof line, 0);
            CHECK_INT(aio_read(&first), 0);
            pending = 1;
        }
        STEP("one of two readers getting a line");
        type(&t, "line\n");
        while (atomic_load(taken) < lines + 1 && aio_error(&first) == EINPROGRESS)
            pause_us(200);
        if (aio_error(&first) == EINPROGRESS) {
            rest_of_posix_works();
        } else {
            CHECK_DONE(&first, 5);
            pending = 0;
            /* A line that this process got is not one that the other gets. */
            atomic_fetch_add(taken, 1);
            atomic_fetch_add(reading, 1);
        }
    }
    /* Lines for both, so that both reads end. */
    atomic_store(quit, 1);
    STEP("the last lines");
    while (thread_state(other, other) != 'Z' || (pending && aio_error(&first) == EINPROGRESS)) {
        type(&t, "line\n");
        pause_us(1000);
    }
    CHECK_INT(exit_status(other), 0);
    STEP("exit");
    return 0;
}
