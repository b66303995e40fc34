/* Runs a command under a seccomp filter that kills the process on one system call, as filters of systemd units do.

   usage: kills CALL COMMAND [ARGUMENT]... */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
    const char *name;
    unsigned number;
} calls[] = {
    { "io_setup", SYS_io_setup },
    { "io_uring_setup", SYS_io_uring_setup },
    { "io_uring_enter", SYS_io_uring_enter },
    { "io_uring_register", SYS_io_uring_register },
};

int main(int argc, char **argv)
{
    size_t call = 0;

    while (argc > 2 && call < sizeof calls / sizeof calls[0] && strcmp(argv[1], calls[call].name) != 0)
        call++;
    if (argc < 3 || call == sizeof calls / sizeof calls[0]) {
        fprintf(stderr, "usage: kills CALL COMMAND [ARGUMENT]...\n");
        return 2;
    }

    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[call].number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { .len = sizeof filter / sizeof filter[0], .filter = filter };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1) {
        perror("kills: seccomp");
        return 77;
    }
    execvp(argv[2], argv + 2);
    fprintf(stderr, "kills: %s: %s\n", argv[2], strerror(errno));
    return 127;
}
