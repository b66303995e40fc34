// face: libaio
/* A program with two threads, of which one sets a filter that ends the process at every system call that it does not make itself:
   it makes a context there, writes, reads and goes on [F8] (stenotype of stenographer, which writes packets so). */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "iocb.h"
#include "direct.h"

#define ALLOW(number) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static void *confined(void *argument)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(io_setup), ALLOW(io_submit), ALLOW(io_getevents),
        ALLOW(write), ALLOW(pwrite64), ALLOW(futex), ALLOW(close), ALLOW(munmap), ALLOW(madvise), ALLOW(rt_sigprocmask),
        ALLOW(exit), ALLOW(exit_group),
#ifdef SYS_rseq
        ALLOW(rseq),
#endif
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
    int *files = argument;
    char *buffer = aligned(BLOCK);
    struct iocb cb;
    io_context_t context = NULL;

    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == -1)
        SKIP("no seccomp filters here: %s", strerror(errno));
    CHECK_INT(io_setup(8, &context), 0);
    for (int which = 0; which < 2; which++) {
        struct iocb *list = &cb;
        struct io_event event;

        io_prep_pwrite(&cb, files[which], buffer, 4096, 0);
        CHECK_INT(io_submit(context, 1, &list), 1);
        CHECK_INT(io_getevents(context, 1, 1, &event, NULL), 1);
        CHECK_INT((long)event.res, 4096);
        io_prep_pread(&cb, files[which], buffer, 4096, 0);
        CHECK_INT(io_submit(context, 1, &list), 1);
        CHECK_INT(io_getevents(context, 1, 1, &event, NULL), 1);
        CHECK_INT((long)event.res, 4096);
    }
    return NULL;
}

int main(void)
{
    int files[] = { direct_file(), pattern_file(O_RDWR, 8192, 1) };
    pthread_t thread;

    MUST(-pthread_create(&thread, NULL, confined, files));
    MUST(-pthread_join(thread, NULL));
    return 0;
}
