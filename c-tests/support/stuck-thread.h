/* A thread that cannot run: it does what the test prepares and then stays where no library can call it. */
#ifndef STUCK_THREAD_H
#define STUCK_THREAD_H

#include <sys/epoll.h>
#include <sys/ptrace.h>

#include "fuse-server.h"

enum stuck_kind {
    STUCK_BY_PTRACE,      /* stopped by a tracer */
    STUCK_IN_VFORK,       /* waits for its vfork child */
    STUCK_SIGNAL_33,      /* sleeps in read(2); the raw call has blocked all signals, also the C library's */
    STUCK_IN_EPOLL,       /* sleeps in epoll_pwait(2) with a mask of all signals */
    STUCK_IN_FSTAT,       /* in fstat(2) of a file whose server is silent */
};

static struct {
    enum stuck_kind kind;
    void (*prepare)(void);
    atomic_int prepared, release;
    int wake[2], fuse_fd;
    pid_t tid, tracer;
    pthread_t thread;
} stuck;

static inline void stuck_vfork(void)
{
    pid_t child = vfork();

    if (child == 0) {
        struct timespec pause = { 0, 2000000 };
        pid_t parent = (pid_t)syscall(SYS_getppid);

        while (!atomic_load(&stuck.release) && syscall(SYS_getppid) == parent)
            syscall(SYS_nanosleep, &pause, NULL);
        syscall(SYS_exit, 0);
    }
    CHECK(child > 0);
    CHECK_INT(exit_status(child), 0);
}

static inline void *stuck_body(void *unused)
{
    uint64_t all = ~0ULL, before;
    struct epoll_event event = { .events = EPOLLIN };
    struct stat stat;
    char byte;
    int epoll;

    (void)unused;
    stuck.tid = this_thread();
    stuck.prepare();
    switch (stuck.kind) {
    case STUCK_BY_PTRACE:
        atomic_store(&stuck.prepared, 1);
        CHECK_INT(read(stuck.wake[0], &byte, 1), 1);
        break;
    case STUCK_IN_VFORK:
        atomic_store(&stuck.prepared, 1);
        stuck_vfork();
        break;
    case STUCK_SIGNAL_33:
        MUST(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all));
        atomic_store(&stuck.prepared, 1);
        CHECK_INT(read(stuck.wake[0], &byte, 1), 1);
        MUST(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof all));
        break;
    case STUCK_IN_EPOLL:
        epoll = MUST(epoll_create1(EPOLL_CLOEXEC));
        MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, stuck.wake[0], &event));
        atomic_store(&stuck.prepared, 1);
        CHECK_INT(syscall(SYS_epoll_pwait, epoll, &event, 1, -1, &all, sizeof all), 1);
        break;
    case STUCK_IN_FSTAT:
        atomic_store(&stuck.prepared, 1);
        MUST(fstat(stuck.fuse_fd, &stat));
        break;
    }
    return NULL;
}

/* A process that stops the thread until the parent writes a byte to `go_on`. */
static inline void stuck_trace(pid_t tid, int stopped, int go_on)
{
    int status;
    char byte = 's';

    if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) == -1)
        byte = 'n';
    if (byte == 's') {
        MUST(ptrace(PTRACE_INTERRUPT, tid, NULL, NULL));
        MUST(waitpid(tid, &status, __WALL));
    }
    CHECK_INT(write(stopped, &byte, 1), 1);
    CHECK_INT(read(go_on, &byte, 1), 1);
    MUST(ptrace(PTRACE_DETACH, tid, NULL, NULL));
    END_PROCESS(0);
}

/* The first call of a test, before there are threads. */
static inline void stuck_kind_is(enum stuck_kind kind)
{
    stuck.kind = kind;
    make_pipe(stuck.wake);
    if (kind == STUCK_IN_FSTAT) {
        fuse_start(4096, 1);
        atomic_store(&fuse->attributes_expire, 1);
        atomic_store(&fuse->ignore_interrupts, 1);
        stuck.fuse_fd = fuse_open("a", O_RDWR);
        fuse_hold(FUSE_HOLD_ATTRIBUTES);
    }
}

/* Starts the thread, which runs `prepare` and then is stuck; returns when it is. */
static inline void stuck_start(void (*prepare)(void))
{
    int stopped[2];
    char byte = 0, state;

    stuck.prepare = prepare;
    if (stuck.kind == STUCK_BY_PTRACE) {
        /* The tracer is made before the library has anything in flight, so that fork is not part of the test. */
        static int tid_pipe[2];
        pid_t tid;

        make_pipe(stopped);
        make_pipe(tid_pipe);
        stuck.tracer = fork_child();
        if (stuck.tracer == 0) {
            CHECK_INT(read(tid_pipe[0], &tid, sizeof tid), sizeof tid);
            close(stuck.wake[1]);
            stuck_trace(tid, stopped[1], tid_pipe[0]);
        }
        stuck.thread = start_thread(stuck_body, NULL);
        WAIT_UNTIL(atomic_load(&stuck.prepared));
        CHECK_INT(write(tid_pipe[1], &stuck.tid, sizeof stuck.tid), sizeof stuck.tid);
        CHECK_INT(read(stopped[0], &byte, 1), 1);
        if (byte != 's')
            SKIP("ptrace is not allowed here");
        stuck.fuse_fd = tid_pipe[1];
        return;
    }
    stuck.thread = start_thread(stuck_body, NULL);
    WAIT_UNTIL(atomic_load(&stuck.prepared));
    WAIT_UNTIL((state = thread_state(getpid(), stuck.tid)) == 'S' || state == 'D');
    if (stuck.kind == STUCK_IN_FSTAT)
        WAIT_UNTIL(atomic_load(&fuse->held) > 0);
}

/* Lets the thread go on, and waits for its end. */
static inline void stuck_end(void)
{
    STEP("the end of the thread that was stuck");
    atomic_store(&stuck.release, 1);
    if (stuck.kind == STUCK_IN_FSTAT)
        fuse_release();
    if (stuck.kind == STUCK_BY_PTRACE) {
        CHECK_INT(write(stuck.fuse_fd, "g", 1), 1);
        CHECK_INT(exit_status(stuck.tracer), 0);
    }
    CHECK_INT(write(stuck.wake[1], "g", 1), 1);
    join_thread(stuck.thread);
}

#endif
