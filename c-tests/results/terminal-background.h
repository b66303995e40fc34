/* The body of terminal-background-posix.c and terminal-background-libaio.c, which say what it does. */
#include "one-request.h"

#include <sys/ioctl.h>

#include "process.h"
#include "terminal.h"

/* In a process group that is not the terminal's, whose session has it as its controlling terminal. */
static void in_background(int terminal)
{
    char in[8];

    /* Its answer would be to stop the group. */
    signal(SIGTTIN, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    CHECK_INT(one_request(ONE_READ, terminal, in, sizeof in, 0), -EIO);
    CHECK_INT(one_request(ONE_WRITE, terminal, (void *)"x", 1, 0), 1);
}

static int ended_well(pid_t child)
{
    int status;

    CHECK_INT(waitpid(child, &status, 0), child);
    return status == 0;
}

int main(void)
{
    struct terminal t;
    pid_t leader;

    start_deadline();
    STEP("a process in the background");
    t = canonical_terminal();
    leader = MUST(fork());
    if (leader == 0) {
        pid_t child;

        MUST(setsid());
        MUST(ioctl(t.terminal, TIOCSCTTY, 0));
        child = MUST(fork());
        if (child == 0) {
            MUST(setpgid(0, 0));
            in_background(t.terminal);
            _exit(0);
        }
        _exit(!ended_well(child));
    }
    CHECK(ended_well(leader));
    return 0;
}
