// face: libaio
/* When no request has been in flight for a few seconds, the process has only its own threads: unshare(CLONE_NEWUSER)
   and setns(2) to a user or a mount namespace work. Requests afterwards are done.

   [E4] unshare(2), setns(2): EINVAL in a process with more than one thread. glibc's helper threads leave after a second
   (aio_idle_time); the kernel's AIO has none. */
#include "one-request.h"

static unsigned char *buffer;
static int cached, direct, append, ends[2];

static void some_requests(void)
{
    STEP("requests");
    for (int i = 0; i < 200; i++) {
        CHECK_INT(one_request(ONE_READ, direct, buffer, 4096, 0), 4096);
        CHECK_INT(one_request(ONE_WRITE, append, buffer, 1, 0), 1);
        CHECK_INT(one_request(ONE_READ, cached, buffer, 4096, 0), 4096);
        CHECK_INT(one_request(ONE_FSYNC, cached, NULL, 0, 0), 0);
        CHECK_INT(one_request(ONE_WRITE, ends[1], buffer, 1, 0), 1);
        CHECK_INT(one_request(ONE_READ, ends[0], buffer, 1, 0), 1);
    }
}

/* Whether this process could join the namespace. */
static int joins(const char *path, int kind)
{
    int namespace = open(path, O_RDONLY | O_CLOEXEC), joined;

    if (namespace == -1)
        return 0;
    joined = setns(namespace, kind) == 0;
    close(namespace);
    return joined;
}

static void run(int which)
{
    char path[64];
    pid_t other;

    some_requests();
    /* A process in a user namespace of its own, to be joined. */
    other = fork_child();
    if (other == 0) {
        MUST(unshare(CLONE_NEWUSER | CLONE_NEWNS));
        for (;;)
            pause();
    }
    snprintf(path, sizeof path, "/proc/%d/ns/%s", other, which == 1 ? "user" : "mnt");
    switch (which) {
    case 0:
        WAIT_UNTIL(unshare(CLONE_NEWUSER) == 0);
        break;
    case 1:
        WAIT_UNTIL(joins(path, CLONE_NEWUSER));
        break;
    case 2:
        /* Refused while a thread shares the current directory. */
        WAIT_UNTIL(joins(path, CLONE_NEWNS));
        break;
    default:
        WAIT_UNTIL(count_threads() == 1);
    }
    kill(other, SIGKILL);
    /* What comes back is there at once. */
    some_requests();
    STEP("exit");
    exit(0);
}

int main(void)
{
    start_deadline();
    if (geteuid() != 0)
        SKIP("joining a namespace takes root");
    if (fork_child() == 0)
        END_PROCESS(unshare(CLONE_NEWUSER) == 0 ? 0 : 77);
    if (exit_status(-1) == 77)
        SKIP("no user namespaces here");
    buffer = new_pages(4096);
    cached = scratch_file("cached", O_RDWR, 4096, 1);
    direct = scratch_file("direct", O_RDWR | O_DIRECT, 4096, 1);
    append = scratch_file("append", O_WRONLY | O_APPEND, 4096, 1);
    make_pipe(ends);
    STEP("the processes that do nothing");
    for (int which = 0; which < 4; which++)
        if (fork_child() == 0)
            run(which);
    for (int which = 0; which < 4; which++)
        CHECK_INT(exit_status(-1), 0);
    return 0;
}
