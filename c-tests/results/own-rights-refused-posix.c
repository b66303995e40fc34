// face: posix
/* A thread asks for another file system identity and is refused, which setfsuid(2) does not tell, and it takes the capabilities that
   it has: its rights are those of the process, and its aio_read of an empty pipe returns at once [F7]. */
#include "aiocb.h"
#include "process.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/fsuid.h>

int capset(struct __user_cap_header_struct *header, const struct __user_cap_data_struct *sets);

static void *waits(void *unused)
{
    pause();
    return unused;
}

static void take_own_capabilities(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct sets[2];

    MUST(syscall(SYS_capget, &header, sets));
    MUST(capset(&header, sets));
    MUST(syscall(SYS_capset, &header, sets));
}

int main(void)
{
    int ends[2];
    char in = 0, filtered[8];
    struct aiocb cb;

    if (geteuid() != 0)
        SKIP("not root");
    alarm(DEADLINE_SECONDS);
    make_pipe(ends);
    MUST(setgroups(0, NULL));
    MUST(setgid(65534));
    MUST(setuid(65534));
    start_thread(waits, NULL);
    CHECK_INT(setfsuid(0), 65534);
    CHECK_INT(setfsuid(-1), 65534);
    CHECK_INT(setfsgid(0), 65534);
    CHECK_INT(setfsgid(-1), 65534);
    /* Beneath a filter the library does not ask what capset has changed. */
    if (status_line(0, "Seccomp", filtered, sizeof filtered) && strcmp(filtered, "0") == 0)
        take_own_capabilities();
    cb = make_cb(ends[0], &in, 1, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_PENDING(&cb);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_DONE(&cb, 1);
    CHECK_INT(in, 'x');
    return 0;
}
