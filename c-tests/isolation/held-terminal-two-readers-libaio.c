// face: libaio
/* Two processes read one terminal, line by line; each line goes to one of them. While the read of the other goes on,
   other threads' libaio requests are done, and close, dup2, fcntl, munmap and io_destroy return.

   [D1] The rule: poll(2) says "ready" to both readers of a terminal, and a read of the one that comes too late sleeps;
   with the kernel's AIO in the io_submit of its own thread. */
#include "behaviour.h"
#include "iocb.h"

#include "isolation.h"
#include "terminal.h"

#define LINES 20

static atomic_int *taken, *reading;

/* The other reader: counts the lines that it gets. */
static void read_lines(int fd)
{
    char line[64];

    for (;;) {
        atomic_fetch_add(reading, 1);
        if (read(fd, line, sizeof line) > 0)
            atomic_fetch_add(taken, 1);
    }
}

int main(void)
{
    struct timespec no_time = { 0, 0 };
    struct io_event event;
    struct terminal t;
    char line[64];
    pid_t other;
    int got = 0;

    start_deadline();
    t = canonical_terminal();
    taken = new_shared(4096);
    reading = taken + 1;
    other = fork_child();
    if (other == 0)
        read_lines(t.terminal);
    rest_prepare();
    /* The other process comes first, so that the first lines are its own. */
    WAIT_UNTIL(atomic_load(reading) == 1 && thread_state(other, other) == 'S');
    io_prep_pread(&held.iocb, t.terminal, line, sizeof line, 0);
    held_start();
    for (int lines = 1; lines <= LINES && !got; lines++) {
        STEP("one of two readers getting a line");
        type(&t, "line\n");
        while (atomic_load(taken) < lines && !got)
            got = io_getevents(held.context, 0, 1, &event, &no_time);
        if (!got)
            rest_of_libaio_works();
    }
    MUST(kill(other, SIGKILL));
    await_child(other);
    if (!got) {
        type(&t, "last\n");
        held_ends(5);
    } else {
        CHECK_INT((long)event.res, 5);
    }
    STEP("exit");
    return 0;
}
