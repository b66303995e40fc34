/* Runs a command in which system calls are refused, as seccomp filters of container engines and service managers do it.

   usage: refuse CALL ANSWER COMMAND [ARGUMENT]...
     CALL     io_setup, io_uring_setup, io_uring_enter, io_uring_register, or io_uring for the last three
     ANSWER   EPERM, as in containers; ENOSYS, as on a kernel without the call; kill: it ends the process */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LENGTH(array) (sizeof array / sizeof array[0])

static const struct {
    const char *name;
    unsigned number;
} calls[] = {
    { "io_setup", SYS_io_setup },
    { "io_uring_setup", SYS_io_uring_setup },
    { "io_uring_enter", SYS_io_uring_enter },
    { "io_uring_register", SYS_io_uring_register },
};

static const struct {
    const char *name;
    unsigned action;
} answers[] = {
    { "EPERM", SECCOMP_RET_ERRNO | EPERM },
    { "ENOSYS", SECCOMP_RET_ERRNO | ENOSYS },
    { "kill", SECCOMP_RET_KILL_PROCESS },
};

int main(int argc, char **argv)
{
    struct sock_filter filter[2 + 2 * LENGTH(calls)];
    unsigned short used = 0;
    size_t answer = 0;

    while (argc > 3 && answer < LENGTH(answers) && strcmp(argv[2], answers[answer].name) != 0)
        answer++;
    if (argc < 4 || answer == LENGTH(answers)) {
        fprintf(stderr, "usage: refuse CALL EPERM|ENOSYS|kill COMMAND [ARGUMENT]...\n");
        return 2;
    }

    filter[used++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < LENGTH(calls); i++) {
        if (strncmp(calls[i].name, argv[1], strlen(argv[1])) != 0)
            continue;
        filter[used++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, 0, 1);
        filter[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answers[answer].action);
    }
    if (used == 1) {
        fprintf(stderr, "refuse: %s is no call that it knows\n", argv[1]);
        return 2;
    }
    filter[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = { .len = used, .filter = filter };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1) {
        perror("refuse: seccomp");
        return 77;
    }
    execvp(argv[3], argv + 3);
    fprintf(stderr, "refuse: %s: %s\n", argv[3], strerror(errno));
    return 127;
}
