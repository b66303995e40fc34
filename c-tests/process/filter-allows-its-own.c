// face: libaio
/* A program sets a filter in a thread that ends the process at every system call that it does not make itself: it makes a context
   there, writes, reads and goes on [F8] (stenotype of stenographer, which writes packets so). What libaio's io_getevents calls
   differs: io_getevents(2), or io_pgetevents(2) in Debian 13. The filter lets the original's through alone. */
#include "behaviour.h"
#include "iocb.h"
#include "direct.h"
#include "seccomp-filter.h"

#define ALLOW_NUMBER(number) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define ALLOW(name) ALLOW_NUMBER(SYS_##name)

#define PGETEVENTS 3

/* Which of the two system calls the original's io_getevents makes: ends with PGETEVENTS if it is io_pgetevents(2). */
static int say_which(void)
{
    struct timespec soon = { .tv_nsec = 1 };
    io_context_t context = make_context(1);
    struct io_event event;
    int got;

    refuse_call(SYS_io_pgetevents, E2BIG);
    got = io_getevents(context, 1, 1, &event, &soon);
    CHECK(got == 0 || got == -E2BIG);
    return got ? PGETEVENTS : 0;
}

/* The number of that system call. This program is asked, with nothing but the original. */
static unsigned system_call_of_io_getevents(void)
{
    pid_t child = fork_child();
    int status;

    if (child == 0) {
        unsetenv("LD_PRELOAD");
        unsetenv("LD_LIBRARY_PATH");
        execl("/proc/self/exe", "filter-allows-its-own", "say-which", NULL);
        FAIL("exec: %s", strerror(errno));
    }
    status = exit_status(child);
    if (status == 77)
        exit(77); /* skipped, and it has said why */
    CHECK(status == 0 || status == PGETEVENTS);
    return status ? SYS_io_pgetevents : SYS_io_getevents;
}

struct confined {
    int files[2];
    unsigned getevents; /* the system call that its filter lets through */
    int (*take)(io_context_t, struct io_event *);
};

static int take_plainly(io_context_t context, struct io_event *event)
{
    return io_getevents(context, 1, 1, event, NULL);
}

static int take_masked(io_context_t context, struct io_event *event)
{
    return io_pgetevents(context, 1, 1, event, NULL, NULL);
}

static void *confined(void *argument)
{
    struct confined *c = argument;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(io_setup), ALLOW(io_submit), ALLOW_NUMBER(c->getevents),
        ALLOW(write), ALLOW(pwrite64), ALLOW(futex), ALLOW(close), ALLOW(munmap), ALLOW(madvise), ALLOW(rt_sigprocmask),
        ALLOW(exit), ALLOW(exit_group),
#ifdef SYS_rseq
        ALLOW(rseq),
#endif
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
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

        io_prep_pwrite(&cb, c->files[which], buffer, 4096, 0);
        CHECK_INT(io_submit(context, 1, &list), 1);
        CHECK_INT(c->take(context, &event), 1);
        CHECK_INT((long)event.res, 4096);
        io_prep_pread(&cb, c->files[which], buffer, 4096, 0);
        CHECK_INT(io_submit(context, 1, &list), 1);
        CHECK_INT(c->take(context, &event), 1);
        CHECK_INT((long)event.res, 4096);
    }
    return NULL;
}

static void run(struct confined c)
{
    pthread_t thread;

    MUST(-pthread_create(&thread, NULL, confined, &c));
    MUST(-pthread_join(thread, NULL));
}

int main(int argc, char **argv)
{
    int direct, buffered;

    (void)argv;
    if (argc > 1)
        return say_which();
    direct = direct_file();
    buffered = pattern_file(O_RDWR, 8192, 1);
    run((struct confined){ { direct, buffered }, SYS_io_pgetevents, take_masked });
    run((struct confined){ { direct, buffered }, system_call_of_io_getevents(), take_plainly });
    return 0;
}
