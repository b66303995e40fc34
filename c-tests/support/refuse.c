/* Runs a command in which some system calls fail, each with an errno of choice: what seccomp filters do to programs.

   usage: refuse NAME=ERRNO[@ARGUMENT:VALUE]... -- COMMAND [ARGUMENT]...

   NAME is a name of the table below or a number; ERRNO a number; with @ARGUMENT:VALUE only where that argument (0 to 5)
   has that value. Exits with 77 where the filter cannot be set. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALL(name) { #name, SYS_##name }

static const struct {
    const char *name;
    long number;
} calls[] = {
    CALL(clock_gettime), CALL(clone),         CALL(clone3),         CALL(close),          CALL(close_range),
    CALL(epoll_create1), CALL(epoll_ctl),     CALL(epoll_pwait),    CALL(fcntl),          CALL(fdatasync),
    CALL(fstat),         CALL(fsync),         CALL(futex),          CALL(io_cancel),      CALL(io_destroy),
    CALL(io_getevents),  CALL(io_setup),      CALL(io_submit),      CALL(io_uring_enter), CALL(io_uring_register),
    CALL(io_uring_setup), CALL(ioprio_set),   CALL(madvise),        CALL(mincore),        CALL(mmap),
    CALL(mprotect),      CALL(mremap),        CALL(munmap),         CALL(pidfd_getfd),    CALL(pidfd_open),
    CALL(ppoll),         CALL(prctl),         CALL(pread64),        CALL(preadv2),        CALL(prlimit64),
    CALL(pwrite64),      CALL(pwritev2),      CALL(recvmsg),        CALL(rt_sigprocmask), CALL(rt_sigqueueinfo),
    CALL(rt_tgsigqueueinfo), CALL(sendmsg),   CALL(socketpair),     CALL(statx),          CALL(unshare),
    CALL(write),
};

static long number_of(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (strlen(calls[i].name) == length && strncmp(calls[i].name, name, length) == 0)
            return calls[i].number;
    char *end;
    long number = strtol(name, &end, 10);
    return end == name + length ? number : -1;
}

static struct sock_filter filter[256];
static unsigned short used;

static void add(struct sock_filter instruction)
{
    if (used < sizeof filter / sizeof filter[0])
        filter[used++] = instruction;
}

/* Lets the calls with this number, and this argument, fail; others go on to the next instruction. */
static int refuse(const char *rule)
{
    int argument = -1;
    unsigned long value = 0;
    const char *equals = strchr(rule, '=');
    long number = equals ? number_of(rule, equals - rule) : -1;

    if (number < 0)
        return -1;
    int error = atoi(equals + 1);
    const char *at = strchr(equals, '@');
    if (at && sscanf(at, "@%d:%lu", &argument, &value) != 2)
        return -1;
    add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
    add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, argument < 0 ? 1 : 3));
    if (argument >= 0) {
        unsigned offset = offsetof(struct seccomp_data, args) + 8 * argument;
        add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
        add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)value, 0, 1));
    }
    add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error & SECCOMP_RET_DATA)));
    return 0;
}

int main(int argc, char **argv)
{
    int i = 1;

    for (; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (refuse(argv[i])) {
            fprintf(stderr, "refuse: %s: not a rule\n", argv[i]);
            return 2;
        }
    if (i >= argc - 1) {
        fprintf(stderr, "usage: refuse NAME=ERRNO[@ARGUMENT:VALUE]... -- COMMAND [ARGUMENT]...\n");
        return 2;
    }
    add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    struct sock_fprog program = { .len = used, .filter = filter };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1) {
        perror("refuse: seccomp");
        return 77;
    }
    execvp(argv[i + 1], argv + i + 1);
    fprintf(stderr, "refuse: %s: %s\n", argv[i + 1], strerror(errno));
    return 127;
}
