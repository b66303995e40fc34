/* A child of vfork shares the memory. It asks for the state of its parent's requests, restricts its own rights and changes
   flags of a file before it executes a program or ends, while threads of the parent have requests in flight: it is not
   delayed, and the parent loses nothing [C3] [D8]. (Launchers of sandboxes do so: vfork(2), then prctl(2) with
   PR_SET_SECCOMP.) */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "sleeper.h"

static int fd, other;

int main(void)
{
    struct sock_filter filter[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
    struct sock_fprog program = { .len = 1, .filter = filter };
    struct reads own = { .in = NULL };
    struct sleeper sleeper = { 0 };

    fd = direct_file();
    other = temp_file(O_RDWR);
    alarm(DEADLINE_SECONDS);
    for (int round = 0; round < 16; round++) {
        start_sleeper(&sleeper, fd, 100);
        read_blocks(fd, 100);
        start_reads(fd, &own, 16);
        pid_t child = vfork();

        if (child == 0) {
            /* Its own thread's, which stands still meanwhile, and the other's. */
            for (int64_t end = now_ns() + 20000000; round % 4 > 1 && now_ns() < end;)
                for (int i = 0; i < 16; i++) {
                    aio_error(&own.cb[i]);
                    aio_error(&sleeper.left.cb[i]);
                }
            fcntl(other, F_SETFL, O_APPEND);
            prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
            fcntl(other, F_SETFL, 0);
            if (round % 2)
                execlp("true", "true", NULL);
            _exit(0);
        }
        CHECK_CHILD(child, 0);
        check_reads(&own, 16);
        check_sleeper(&sleeper);
        end_sleeper(&sleeper);
        read_blocks(fd, 100);
    }
    return 0;
}
