/* Completions of io_uring that say something else than the kernel did. The program runs as a child that is traced: whenever
   the library's thread comes back from a system call, its new completions are altered in the ring's memory before it has
   seen them. Nothing is built into the library for that. */
#ifndef FALSIFIED_H
#define FALSIFIED_H

#include <linux/io_uring.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "behaviour.h"

/* IORING_OP_FUTEX_WAIT, which older headers lack. */
#define FUTEX_WAIT_ENTRY 51

/* In the place of an errno: half of what was moved. */
#define SHORT 100000

/* The child asks, the tracer answers. Read and written with nothing of the child's under way. */
struct falsification {
    /* Which completion: of this IORING_OP_*, the `nth` from now, counted from 1; 0: every one. */
    _Atomic int operation, nth;
    /* What it says. Written last of what is asked. */
    _Atomic int result;
    _Atomic int is_asked;
    /* How many of the operation came, and how many were altered. */
    _Atomic int seen, altered;
    /* The library has made a ring. */
    _Atomic int has_ring;
};

static struct falsification *falsification;

/* From here on completions are altered so; `falsified` stops it, and says how many were. */
static inline void falsify(int operation, int nth, int result)
{
    atomic_store(&falsification->operation, operation);
    atomic_store(&falsification->nth, nth);
    atomic_store(&falsification->result, result);
    atomic_store(&falsification->seen, 0);
    atomic_store(&falsification->altered, 0);
    atomic_store(&falsification->is_asked, 1);
}

static inline int falsified(void)
{
    atomic_store(&falsification->is_asked, 0);
    return atomic_load(&falsification->altered);
}

/* --- the tracer ------------------------------------------------------------------------------------------------- */

#define KNOWN 4096

/* The ring of the traced process. The library has one at a time. */
static struct {
    pid_t thread;
    struct io_uring_params parameters;
    uint64_t rings, entries;
    /* The first completion and the first submission that have not been looked at. */
    unsigned completed, submitted;
    /* Which operation has this user data. */
    struct {
        uint64_t data;
        int operation;
    } known[KNOWN];
    unsigned next_known;
} traced;

static inline void copy_from(uint64_t address, void *to, size_t size)
{
    struct iovec here = { to, size }, there = { (void *)(uintptr_t)address, size };

    if (process_vm_readv(traced.thread, &here, 1, &there, 1, 0) != (ssize_t)size)
        SKIP("the memory of a ring cannot be read: %s", strerror(errno));
}

static inline unsigned ring_word(unsigned offset)
{
    unsigned word;

    copy_from(traced.rings + offset, &word, sizeof word);
    return word;
}

/* Finds where the ring is mapped. */
static inline int find_ring(void)
{
    unsigned long from, offset;
    char path[64], line[512];
    FILE *maps;

    traced.rings = traced.entries = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", traced.thread);
    maps = fopen(path, "re");
    CHECK(maps != NULL);
    while (fgets(line, sizeof line, maps))
        if (strstr(line, "[io_uring]") && sscanf(line, "%lx-%*x %*s %lx", &from, &offset) == 2)
            *(offset ? &traced.entries : &traced.rings) = from;
    fclose(maps);
    return traced.rings && traced.entries;
}

/* Before io_uring_enter: which operations are submitted. */
static inline void note_submissions(void)
{
    const struct io_uring_params *p = &traced.parameters;
    unsigned tail = ring_word(p->sq_off.tail);

    for (; traced.submitted != tail; traced.submitted++) {
        struct io_uring_sqe entry;

        copy_from(traced.entries + (traced.submitted & (p->sq_entries - 1)) * sizeof entry, &entry, sizeof entry);
        traced.known[traced.next_known % KNOWN].data = entry.user_data;
        traced.known[traced.next_known++ % KNOWN].operation = entry.opcode;
    }
}

/* What the newest submission with this user data was. Numbers and addresses come again. */
static inline int operation_of(uint64_t data)
{
    for (unsigned back = 1; back <= KNOWN && back <= traced.next_known; back++)
        if (traced.known[(traced.next_known - back) % KNOWN].data == data)
            return traced.known[(traced.next_known - back) % KNOWN].operation;
    return -1;
}

static inline int moves_bytes(int operation)
{
    return operation == IORING_OP_READ || operation == IORING_OP_WRITE || operation == IORING_OP_READV ||
           operation == IORING_OP_WRITEV;
}

/* After a system call of the ring's thread: alters what has come, and was not taken yet. */
static inline void alter_completions(void)
{
    const struct io_uring_params *p = &traced.parameters;
    unsigned head = ring_word(p->cq_off.head), tail = ring_word(p->cq_off.tail);

    if ((int)(head - traced.completed) > 0)
        traced.completed = head;
    for (; traced.completed != tail; traced.completed++) {
        uint64_t at = traced.rings + p->cq_off.cqes + (traced.completed & (p->cq_entries - 1)) * sizeof(struct io_uring_cqe);
        int asked = atomic_load(&falsification->result), nth = atomic_load(&falsification->nth);
        struct io_uring_cqe entry;
        struct iovec here = { &entry.res, sizeof entry.res };
        struct iovec there = { (void *)(uintptr_t)(at + offsetof(struct io_uring_cqe, res)), sizeof entry.res };

        copy_from(at, &entry, sizeof entry);
        if (!atomic_load(&falsification->is_asked) || operation_of(entry.user_data) != atomic_load(&falsification->operation))
            continue;
        /* A request that failed by itself is left alone. */
        if (entry.res < 0 && moves_bytes(atomic_load(&falsification->operation)))
            continue;
        if (atomic_fetch_add(&falsification->seen, 1) + 1 != nth && nth)
            continue;
        entry.res = asked == SHORT ? entry.res / 2 : asked;
        CHECK_INT(process_vm_writev(traced.thread, &here, 1, &there, 1, 0), sizeof entry.res);
        atomic_fetch_add(&falsification->altered, 1);
    }
}

/* A system call of a thread's begins or ends. */
static inline void at_call(pid_t thread)
{
    static uint64_t parameters, number;
    struct __ptrace_syscall_info call;

    if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof call, &call) == -1)
        return;
    if (call.op == PTRACE_SYSCALL_INFO_ENTRY) {
        if (call.entry.nr == SYS_io_uring_setup) {
            traced.thread = thread;
            parameters = call.entry.args[1];
            number = call.entry.nr;
        } else if (thread == traced.thread) {
            number = call.entry.nr;
            if (number == SYS_io_uring_enter && (traced.rings || find_ring()))
                note_submissions();
        }
    } else if (call.op == PTRACE_SYSCALL_INFO_EXIT && thread == traced.thread) {
        if (number == SYS_io_uring_setup && call.exit.rval >= 0) {
            copy_from(parameters, &traced.parameters, sizeof traced.parameters);
            traced.completed = traced.submitted = 0;
            atomic_store(&falsification->has_ring, 1);
            traced.rings = 0;
        } else if (traced.rings) {
            /* Completions come whenever the thread has been in the kernel, for whatever. */
            alter_completions();
        }
    }
}

/* Runs `work` in a traced child; its exit status. The child's first thread makes no ring, and goes untraced. */
static inline int run_falsified(void (*work)(void))
{
    pid_t child;

    falsification = new_shared(sizeof *falsification);
    child = fork_child();
    if (child == 0) {
        MUST(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
        raise(SIGSTOP);
        work();
        exit(0);
    }
    CHECK_INT(MUST(waitpid(child, NULL, __WALL)), child);
    MUST(ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL));
    MUST(ptrace(PTRACE_CONT, child, NULL, NULL));
    for (;;) {
        int status, signal = 0;
        pid_t thread = waitpid(-1, &status, __WALL);

        if (thread == -1 && errno == EINTR)
            continue;
        CHECK(thread > 0);
        if (!WIFSTOPPED(status)) {
            if (thread != child)
                continue;
            if (!WIFEXITED(status))
                FAIL("the child was ended by signal %d", WTERMSIG(status));
            return WEXITSTATUS(status);
        }
        if (WSTOPSIG(status) == (SIGTRAP | 0x80))
            at_call(thread);
        else if (WSTOPSIG(status) != SIGSTOP && status >> 16 == 0)
            signal = WSTOPSIG(status);
        ptrace(thread == child ? PTRACE_CONT : PTRACE_SYSCALL, thread, NULL, (void *)(uintptr_t)signal);
    }
}

#endif
