/* A child of vfork, which shares the memory, narrows what it may do and changes flags of a file before it executes a program
   or ends, while threads of its parent have requests in flight: it is not held up, and the parent loses nothing. (Launchers
   with sandboxes do so: vfork(2), then prctl(2) with PR_SET_SECCOMP.) */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <sys/prctl.h>

#include "prove.h"

static int fd, other, ends[2];
static struct left left;
static _Atomic pid_t away;

static void *leaves(void *unused)
{
    char byte;

    prove(fd, 100);
    leave(fd, &left, 16);
    atomic_store(&away, this_thread());
    read_whole(ends[0], &byte, 1);
    return unused;
}

int main(void)
{
    struct sock_filter filter[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
    struct sock_fprog program = { .len = 1, .filter = filter };
    struct left own = { .in = NULL };
    pthread_t thread;

    fd = direct_file();
    other = temp_file(0);
    make_pipe(ends);
    alarm(DEADLINE_SECONDS);
    for (int round = 0; round < 8; round++) {
        atomic_store(&away, 0);
        thread = start_thread(leaves, NULL);
        WAIT_UNTIL(atomic_load(&away) && thread_sleeps(atomic_load(&away)));
        prove(fd, 100);
        leave(fd, &own, 16);
        pid_t child = vfork();

        if (child == 0) {
            fcntl(other, F_SETFL, O_APPEND);
            prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
            fcntl(other, F_SETFL, 0);
            if (round % 2)
                execlp("true", "true", NULL);
            _exit(0);
        }
        CHECK_CHILD(child, 0);
        check_left(&own, 16);
        check_left(&left, 16);
        CHECK_INT(write(ends[1], "x", 1), 1);
        join_thread(thread);
        prove(fd, 100);
    }
    return 0;
}
