// face: libaio
// columns: oracle preload engine threads -- the others have the lanes of these
// sleeps: its rounds wait for signals, threads and ends of processes
// unsanitized: tsan -- it leaves a call after each instruction, and the runtime puts handlers off
/* io_submit of a cached read is left by siglongjmp out of a signal handler after each of its instructions in turn (the parent
   steps through it by ptrace), while a poll of a pipe is in flight in the same context. Its event comes every time, once, by
   io_getevents that waits.

   [D7] */
#include <poll.h>
#include <setjmp.h>
#include <sys/ptrace.h>

#include "iocb.h"

/* Instructions at a time. */
#define STRIDE 13

static sigjmp_buf start;
static volatile long in_call;
/* Set by the parent when the call has ended before all its steps were made. */
static volatile long is_through;

static void leaves(int signal)
{
    (void)signal;
    if (in_call)
        siglongjmp(start, 1);
}

static void child(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0), ends[2];
    io_context_t context = make_context(16);
    char *buffer = aligned(4096), byte;
    struct sigaction action = { .sa_handler = leaves };
    struct iocb piped, cached, *list = &cached;

    make_pipe(ends);
    CHECK_INT(pread(fd, buffer, 4096, 0), 4096);
    MUST(sigaction(SIGUSR1, &action, NULL));
    MUST(ptrace(PTRACE_TRACEME, 0, 0, 0));
    while (!is_through) {
        struct timespec none = { 0, 0 };
        struct io_event events[4];
        int from_pipe = 0, from_file = 0;

        io_prep_poll(&piped, ends[0], POLLIN);
        submit_one(context, &piped);
        io_prep_pread(&cached, fd, buffer, 4096, 0);
        if (sigsetjmp(start, 1) == 0) {
            in_call = 1;
            raise(SIGSTOP);
            io_submit(context, 1, &list);
        }
        in_call = 0;
        CHECK_INT(write(ends[1], "x", 1), 1);
        for (int last = 0; !last; last = from_pipe) {
            struct timespec limit = { 20, 0 };
            int count = io_getevents(context, 1, 4, events, from_pipe ? &none : &limit);

            if (count < 1)
                FAIL("io_getevents: %d", count);
            for (int i = 0; i < count; i++)
                (*(events[i].obj == &piped ? &from_pipe : &from_file))++;
        }
        from_file += io_getevents(context, 0, 4, events, &none);
        CHECK_INT(read(ends[0], &byte, 1), 1);
        CHECK_INT(from_pipe, 1);
        CHECK(from_file <= 1);
    }
    CHECK_INT(io_destroy(context), 0);
    exit(0);
}

/* Lets the child run until it stops; false where it has ended well. */
static int go(pid_t pid, int how, int signal)
{
    int status;

    MUST(ptrace(how, pid, 0, signal));
    CHECK_INT(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status)) {
        CHECK(WIFSTOPPED(status));
        return 1;
    }
    if (WEXITSTATUS(status) != 0)
        exit(WEXITSTATUS(status));
    return 0;
}

int main(void)
{
    pid_t pid = MUST(fork());
    int status;

    if (pid == 0)
        child();
    CHECK_INT(waitpid(pid, &status, 0), pid);
    for (int steps = 1; WIFSTOPPED(status); steps += STRIDE) {
        /* The child is at its stop before the call. */
        for (int i = 0; i < steps; i++)
            CHECK(go(pid, PTRACE_SINGLESTEP, 0));
        if (MUST(ptrace(PTRACE_PEEKDATA, pid, &in_call, 0)) == 0) {
            MUST(ptrace(PTRACE_POKEDATA, pid, &is_through, 1));
            CHECK(!go(pid, PTRACE_CONT, 0));
            return 0;
        }
        CHECK(go(pid, PTRACE_CONT, SIGUSR1));
    }
    return 1;
}
