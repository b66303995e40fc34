/* Runs a command in which io_uring does not exist: io_uring_setup(2) fails with EPERM, as under the seccomp filters of
   container engines, or with --enosys as on a kernel built without it.

   usage: without-io-uring [--enosys] COMMAND [ARGUMENT]... */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int error = EPERM;

    if (argc > 1 && strcmp(argv[1], "--enosys") == 0) {
        error = ENOSYS;
        argv++;
        argc--;
    }
    if (argc < 2) {
        fprintf(stderr, "usage: without-io-uring [--enosys] COMMAND [ARGUMENT]...\n");
        return 2;
    }

    /* The number is the same on every architecture since 5.1. All three calls go: a ring that was inherited would not
       work either. */
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_enter, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_register, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error & SECCOMP_RET_DATA)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { .len = sizeof filter / sizeof filter[0], .filter = filter };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1) {
        perror("without-io-uring: seccomp");
        return 77;
    }
    execvp(argv[1], argv + 1);
    fprintf(stderr, "without-io-uring: %s: %s\n", argv[1], strerror(errno));
    return 127;
}
