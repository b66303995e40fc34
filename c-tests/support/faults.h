/* System calls of the library's own that fail on demand: by a seccomp filter that knows them by the address they are made
   from. Those of the program and of the C library are left alone, unless a fault says `anywhere`. */
#ifndef FAULTS_H
#define FAULTS_H

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <link.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <fcntl.h>

#include "check.h"
#include "deadline.h"

struct fault {
    const char *name;
    int number;
    const int *errors;
    /* Only calls whose argument `argument`, counted from 1, is `value`; all calls if it is 0. */
    int argument;
    unsigned value;
    /* Also where the C library makes the call: for the library's sake, in what a test does then. */
    int anywhere;
    int only_once;
};

/* Where the library's code lies; 0 to 0 if it is not loaded. */
struct text {
    uint64_t start, end;
};

static int find_text(struct dl_phdr_info *object, size_t size, void *found)
{
    struct text *text = found;

    (void)size;
    if (!strstr(object->dlpi_name, "liburingaio.so") && !strstr(object->dlpi_name, "/libaio/libaio.so"))
        return 0;
    for (int i = 0; i < object->dlpi_phnum; i++)
        if (object->dlpi_phdr[i].p_type == PT_LOAD && object->dlpi_phdr[i].p_flags & PF_X) {
            text->start = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr;
            text->end = text->start + object->dlpi_phdr[i].p_memsz;
        }
    return 1;
}

static inline struct text library_text(void)
{
    struct text text = { 0, 0 };

    dl_iterate_phdr(find_text, &text);
    return text;
}

/* From here on `fault` called from `text` is answered by `action`: an errno, or the listener that is returned. */
static inline int set_filter(struct text text, const struct fault *fault, unsigned action, unsigned flags)
{
    int argument = fault->argument ? fault->argument - 1 : 0;
    unsigned high = text.start >> 32, low = (unsigned)text.start, end = (unsigned)text.end;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, fault->number, fault->anywhere ? 5 : 0, 8),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer) + 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, high, 0, 6),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, low, 0, 4),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, end, 3, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * argument),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, fault->value, 0, fault->argument ? 1 : 0),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { .len = sizeof filter / sizeof filter[0], .filter = filter };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static inline void send_fd(int socket, int fd)
{
    char control[CMSG_SPACE(sizeof fd)] = { 0 }, byte = 0;
    struct iovec part = { &byte, 1 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);

    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    MUST(sendmsg(socket, &message, 0));
}

static inline int receive_fd(int socket)
{
    char control[CMSG_SPACE(sizeof(int))], byte;
    struct iovec part = { &byte, 1 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    int fd = -1;

    if (MUST(recvmsg(socket, &message, 0)) == 1 && CMSG_FIRSTHDR(&message))
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

/* Answers the calls that `listener` reports until `child` ends: the `nth` fails with `error`, the others go on. How many
   there were. */
static inline int answer_calls(int listener, int child_ended, int nth, int error)
{
    int count = 0;

    for (;;) {
        struct pollfd ready[2] = { { listener, POLLIN, 0 }, { child_ended, POLLIN, 0 } };

        if (poll(ready, 2, -1) == -1)
            continue;
        if (ready[0].revents & POLLIN) {
            struct seccomp_notif call;
            struct seccomp_notif_resp answer;

            memset(&call, 0, sizeof call);
            if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) == -1)
                continue;
            memset(&answer, 0, sizeof answer);
            answer.id = call.id;
            if (++count == nth)
                answer.error = -error;
            else
                answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
            ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
        } else if (ready[1].revents || ready[0].revents & POLLHUP) {
            return count;
        }
    }
}

/* Every time. */
#define ALWAYS 0
/* No fault: the work must go well. */
#define NEVER (-1)

/* Runs `work(error)` in a child in which the `nth` call of `fault` that the library makes fails with `error`. The number of
   such calls, or -1 if they were not counted. A child that fails, crashes or hangs is reported and ends the test. */
static inline int with_fault(const struct fault *fault, int error, int nth, void (*work)(int error))
{
    struct text text = library_text();
    int sockets[2], ended[2], status, count = -1;

    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
    MUST(pipe2(ended, O_CLOEXEC));
    fflush(NULL);
    pid_t child = MUST(fork());
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ended[0]);
        if (nth == ALWAYS) {
            if (set_filter(text, fault, SECCOMP_RET_ERRNO | error, 0) == -1)
                SKIP("seccomp: %s", strerror(errno));
        } else if (nth != NEVER) {
            int listener =
                set_filter(text, fault, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);

            if (listener == -1)
                SKIP("seccomp: %s", strerror(errno));
            send_fd(sockets[1], listener);
            close(listener);
        }
        alarm(DEADLINE_SECONDS);
        work(error);
        _exit(0);
    }
    close(sockets[1]);
    close(ended[1]);
    if (nth > 0) {
        int listener = receive_fd(sockets[0]);

        if (listener >= 0) {
            count = answer_calls(listener, ended[0], nth, error);
            close(listener);
        }
    }
    close(sockets[0]);
    MUST(waitpid(child, &status, 0));
    close(ended[0]);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        SKIP("faults cannot be made here");
    if (status != 0)
        FAIL("call %d of %s fails with %s: %s %d", nth, fault->name, strerrorname_np(error),
             WIFSIGNALED(status) ? "ended by signal" : "exit status",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return count;
}

#endif
