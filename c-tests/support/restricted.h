/* Processes whose rings may carry out certain operations alone, as a supervisor arranges it from Linux 7.0 on: by a list
   (IORING_REGISTER_RESTRICTIONS without a ring) or by filters (IORING_REGISTER_BPF_FILTER), inherited by children.

   Before 7.0 the list is laid onto each ring by the parent, at the moment at which the child would restrict it itself: a
   seccomp filter hands that call to the parent, which takes the ring's descriptor, registers the list and answers EBUSY,
   as the kernel does to a ring that has inherited one. What is denied is then denied by the kernel. */
#ifndef RESTRICTED_H
#define RESTRICTED_H

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include "process.h"

/* Younger than the headers of some systems; numbers from linux/io_uring.h. */
enum {
    OP_READV = 1,
    OP_WRITEV = 2,
    OP_FSYNC = 3,
    OP_POLL_ADD = 6,
    OP_ASYNC_CANCEL = 14,
    OP_FILES_UPDATE = 20,
    OP_READ = 22,
    OP_WRITE = 23,
    OP_FUTEX_WAIT = 51,
    REGISTER_RESTRICTIONS = 11,
    REGISTER_FILES_UPDATE = 6,
    REGISTER_FILES2 = 13,
    REGISTER_BPF_FILTER = 37,
    RESTRICT_REGISTER = 0,
    RESTRICT_OP = 1,
    RESTRICT_FLAGS = 2,
};

/* The flags of entries that the library needs: FIXED_FILE and ASYNC. */
#define NEEDED_FLAGS 17

struct restriction {
    uint16_t kind;
    uint8_t value, reserved;
    uint32_t more[3];
};

enum registers { EVERY_REGISTER, FILES_AND_UPDATE, FILES_ALONE, NO_REGISTER };

/* What may be done: operations, up to the first 0, flags, and calls of io_uring_register(2). */
struct allowed {
    unsigned char operations[16];
    unsigned char flags;
    enum registers registers;
};

#define MOST_RESTRICTIONS 20

static inline unsigned restrictions_of(const struct allowed *allowed, struct restriction *list)
{
    unsigned count = 0;

    for (int i = 0; allowed->operations[i]; i++)
        list[count++] = (struct restriction){ .kind = RESTRICT_OP, .value = allowed->operations[i] };
    list[count++] = (struct restriction){ .kind = RESTRICT_FLAGS, .value = allowed->flags };
    /* A list that names one of these denies the others. */
    if (allowed->registers == NO_REGISTER)
        list[count++] = (struct restriction){ .kind = RESTRICT_REGISTER, .value = 0 };
    if (allowed->registers == FILES_ALONE || allowed->registers == FILES_AND_UPDATE)
        list[count++] = (struct restriction){ .kind = RESTRICT_REGISTER, .value = REGISTER_FILES2 };
    if (allowed->registers == FILES_AND_UPDATE)
        list[count++] = (struct restriction){ .kind = RESTRICT_REGISTER, .value = REGISTER_FILES_UPDATE };
    return count;
}

/* Whether the operations that this one is not among are denied to this process from here on, by the kernel: 0 before 7.0. */
static inline int restrict_by_list(const struct allowed *allowed)
{
    struct {
        uint16_t flags, count;
        uint32_t reserved[3];
        struct restriction list[MOST_RESTRICTIONS];
    } all = { 0 };

    all.count = (uint16_t)restrictions_of(allowed, all.list);
    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    return syscall(SYS_io_uring_register, -1, REGISTER_RESTRICTIONS, &all, 1) == 0;
}

/* The same for one operation, by a filter. */
static inline int restrict_by_filter(unsigned operation)
{
    struct sock_filter deny[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
    struct {
        uint16_t command, flags;
        uint32_t reserved;
        struct {
            uint32_t operation, flags, length;
            uint8_t payload, reserved[3];
            uint64_t program, more[5];
        } filter;
    } all = { .command = 1, .filter = { .operation = operation, .length = 1, .program = (uintptr_t)deny } };

    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    return syscall(SYS_io_uring_register, -1, REGISTER_BPF_FILTER, &all, 1) == 0;
}

/* Whether this kernel knows what the list names: it refuses a list with an operation that is younger than itself. */
static inline int knows_all(const struct allowed *allowed)
{
    struct restriction list[MOST_RESTRICTIONS] = { 0 };
    struct io_uring_params params = { .flags = IORING_SETUP_R_DISABLED };
    int ring = (int)syscall(SYS_io_uring_setup, 1, &params);
    unsigned count = restrictions_of(allowed, list);
    int answer = (int)syscall(SYS_io_uring_register, ring, REGISTER_RESTRICTIONS, list, count);

    if (ring != -1)
        close(ring);
    return answer == 0;
}

/* Has the parent asked for each attempt of this process to restrict a ring. The descriptor by which it is. */
static inline int hand_restrictions_over(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_register, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, REGISTER_RESTRICTIONS, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof filter / sizeof filter[0], filter };

    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

/* A pidfd of the process that this thread is of. */
static inline int process_of(int thread)
{
    char path[64], line[256];
    int process = thread;
    FILE *status;

    snprintf(path, sizeof path, "/proc/%d/status", thread);
    status = fopen(path, "re");
    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, "Tgid: %d", &process) == 1)
            break;
    if (status)
        fclose(status);
    return MUST((int)syscall(SYS_pidfd_open, process, 0));
}

/* Answers one such attempt, as the kernel does where `allowed` was inherited. */
static inline void restrict_one(int listener, const struct allowed *allowed)
{
    struct restriction list[MOST_RESTRICTIONS] = { 0 };
    struct seccomp_notif asked = { 0 };
    struct seccomp_notif_resp answer = { 0 };
    unsigned count = restrictions_of(allowed, list);
    int process, ring;

    /* Before 7.0 any list denied the register operations that it did not name. */
    if (allowed->registers == EVERY_REGISTER)
        list[count++] = (struct restriction){ .kind = RESTRICT_REGISTER, .value = REGISTER_FILES_UPDATE };
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) == -1)
        return;
    process = process_of((int)asked.pid);
    ring = MUST((int)syscall(SYS_pidfd_getfd, process, (int)asked.data.args[0], 0));
    MUST((int)syscall(SYS_io_uring_register, ring, REGISTER_RESTRICTIONS, list, count));
    close(ring);
    close(process);
    answer.id = asked.id;
    answer.error = -EBUSY;
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

/* Runs a command in a process whose rings may do what is allowed. Its wait status. */
static inline int run_command_restricted(const struct allowed *allowed, char *const *command)
{
    int to_parent[2], to_child[2], listener = -1, process;
    struct pollfd one = { .events = POLLIN };
    pid_t child;

    make_pipe(to_parent);
    make_pipe(to_child);
    child = fork_child();
    if (child == 0) {
        if (!restrict_by_list(allowed)) {
            if (!knows_all(allowed))
                SKIP("this kernel's io_uring knows no such restriction: %s", strerror(errno));
            listener = hand_restrictions_over();
            if (listener == -1)
                SKIP("no seccomp filter can ask a supervisor here: %s", strerror(errno));
        }
        MUST(write(to_parent[1], &listener, sizeof listener));
        read_whole(to_child[0], &listener, 1);
        execvp(command[0], command);
        FAIL("%s: %s", command[0], strerror(errno));
    }
    close(to_parent[1]);
    process = MUST((int)syscall(SYS_pidfd_open, child, 0));
    if (read(to_parent[0], &listener, sizeof listener) == (ssize_t)sizeof listener && listener != -1) {
        one.fd = MUST((int)syscall(SYS_pidfd_getfd, process, listener, 0));
        MUST(write(to_child[1], "", 1));
        /* POLLHUP: no process is left that it is about. */
        while (poll(&one, 1, -1) != -1 && !(one.revents & (POLLHUP | POLLERR)))
            restrict_one(one.fd, allowed);
        close(one.fd);
    } else {
        MUST(write(to_child[1], "", 1));
    }
    close(process);
    close(to_parent[0]);
    close(to_child[0]);
    close(to_child[1]);
    return await_child(child);
}

/* Runs this program so once more, with `argument`. It must end well. */
static inline void run_restricted(const struct allowed *allowed, const char *argument)
{
    char *const command[] = { (char[]){ "/proc/self/exe" }, (char *)argument, NULL };
    int status = run_command_restricted(allowed, command);

    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        SKIP("the child skips");
    if (status)
        FAIL("%s: wait status %#x", argument, status);
}

#endif
