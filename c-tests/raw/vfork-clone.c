// face: libaio
// build: -fno-stack-protector
/* vfork, clone and fork made through syscall() work: the library leaves no frame on the stack that a vfork child
   shares with its parent [A2]. */
#include "iocb.h"

static void once(int fd)
{
    io_context_t context = make_context(8);
    struct io_event event;
    struct iocb iocb;
    char buffer[16];

    io_prep_pread(&iocb, fd, buffer, 16, 0);
    submit_one(context, &iocb);
    reap(context, 1, &event);
    CHECK_INT(io_destroy(context), 0);
}

#if defined(__x86_64__)
/* The child must not call anything: its return address would land where the parent's is. */
__attribute__((noinline)) static long through_vfork(void)
{
    long pid = syscall(SYS_vfork);

    if (pid == 0)
        __asm__ volatile("syscall" : : "a"(SYS_exit_group), "D"(21L) : "rcx", "r11", "memory");
    return pid;
}
#endif

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);

    for (int i = 0; i < 20; i++) {
        long pid;

#if defined(__x86_64__)
        pid = through_vfork();
        CHECK_CHILD((pid_t)pid, 21);
#endif
        pid = syscall(SYS_clone, (long)SIGCHLD, NULL, NULL, NULL, NULL);
        if (pid == 0)
            syscall(SYS_exit_group, 22L);
        CHECK_CHILD((pid_t)pid, 22);
#ifdef SYS_fork
        pid = syscall(SYS_fork);
        if (pid == 0)
            syscall(SYS_exit_group, 23L);
        CHECK_CHILD((pid_t)pid, 23);
#endif
        if (i % 10 == 0)
            once(fd);
    }
    return 0;
}
