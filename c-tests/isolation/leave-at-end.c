// face: libaio
// columns: oracle preload engine threads -- the others have the lanes of these
// sleeps: its rounds wait for signals, threads and ends of processes
/* A call that can be made once in a process is left in the middle, in a new process each time, by siglongjmp out of a signal
   handler or by asynchronous cancellation of its thread, while requests are in flight and another thread does I/O: prctl and
   seccomp that set a filter, _exit and _Exit. Afterwards requests are done in the same context and in a new one, both can be
   destroyed, and the process ends with its status.

   [D7] The rule: each is one system call and touches nothing else of the process; _exit is async-signal-safe. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>

#include "aiocb.h"
#include "behaviour.h"
#include "iocb.h"

#define ROUNDS 20 /* by each way; TEST_DEPARTURES asks for others */
#define BLOCK 4096
#define STATUS 5

static struct {
    io_context_t context;
    sigjmp_buf target;
    volatile sig_atomic_t armed;
    int by_cancellation, file, direct;
    unsigned char *buffer;
    atomic_int rounds, left;
    atomic_int *left_in_all; /* shared with the parent */
    void (*call)(void);
} state;

static void tick(int signal)
{
    (void)signal;
    if (!state.armed)
        return;
    state.armed = 0;
    if (state.by_cancellation)
        pthread_cancel(pthread_self());
    else
        siglongjmp(state.target, 1);
}

static void *neighbour(void *unused)
{
    unsigned char *buffer = new_pages(BLOCK);
    struct aiocb cb;

    (void)unused;
    for (;;) {
        cb = make_cb(state.direct, buffer, BLOCK, 0);
        CHECK_INT(aio_read(&cb), 0);
        CHECK_DONE(&cb, BLOCK);
        atomic_fetch_add(&state.rounds, 1);
    }
}

/* The thread in which the call is left. */
static void *leaves(void *delay)
{
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
    struct itimerspec in = { .it_value = { 0, *(long *)delay } };
    timer_t timer;
    int old;

    event._sigev_un._tid = this_thread();
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
    MUST(timer_create(CLOCK_MONOTONIC, &event, &timer));
    if (sigsetjmp(state.target, 1) == 0) {
        MUST(timer_settime(timer, 0, &in, NULL));
        state.armed = 1;
        state.call();
        state.armed = 0;
    } else {
        atomic_store(&state.left, 1);
    }
    return NULL;
}

static void works(io_context_t context)
{
    struct iocb iocbs[3], *list[3] = { &iocbs[0], &iocbs[1], &iocbs[2] };
    struct io_event events[3];
    int ends[2];

    make_pipe(ends);
    io_prep_pread(&iocbs[0], state.file, state.buffer, BLOCK, 0);
    io_prep_pread(&iocbs[1], state.direct, state.buffer + BLOCK, BLOCK, 0);
    io_prep_poll(&iocbs[2], ends[0], POLLIN);
    CHECK_INT(io_submit(context, 3, list), 3);
    CHECK_INT(write(ends[1], "x", 1), 1);
    reap(context, 3, events);
    for (int i = 0; i < 3; i++)
        CHECK((long)events[i].res > 0);
}

static void child(long delay)
{
    io_context_t other;
    int ends[2], rounds;
    struct iocb poll;

    holder = 0;
    start_deadline();
    set_handler(SIGUSR1, tick, 0);
    STEP("the child's own set-up");
    make_pipe(ends);
    state.context = make_context(8);
    io_prep_poll(&poll, ends[0], POLLIN);
    submit_one(state.context, &poll);
    start_thread(neighbour, NULL);
    WAIT_UNTIL(atomic_load(&state.rounds) > 0);
    if (join_thread(start_thread(leaves, &delay)) == PTHREAD_CANCELED)
        atomic_store(&state.left, 1);
    atomic_fetch_add(state.left_in_all, atomic_load(&state.left));
    STEP("the other thread's I/O after the departure");
    rounds = atomic_load(&state.rounds);
    WAIT_UNTIL(atomic_load(&state.rounds) > rounds + 2);
    STEP("requests after the departure");
    works(state.context);
    other = make_context(8);
    works(other);
    STEP("io_destroy after the departure");
    CHECK_INT(io_destroy(other), 0);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_INT(io_destroy(state.context), 0);
    STEP("_exit after the departure");
    _exit(STATUS);
}

/* --- the calls --------------------------------------------------------------------------------------------------- */

/* A filter that allows everything. */
static struct sock_filter allows[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
static struct sock_fprog filter = { 1, allows };

static void calls_prctl(void)
{
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

static void calls_seccomp(void)
{
    syscall(SYS_seccomp, (long)SECCOMP_SET_MODE_FILTER, 0L, &filter);
}

static void calls__exit(void)
{
    _exit(STATUS);
}

static void calls__Exit(void)
{
    _Exit(STATUS);
}

int main(void)
{
    static const struct {
        const char *name;
        void (*call)(void);
    } calls[] = {
        { "prctl(PR_SET_SECCOMP)", calls_prctl },
        { "syscall(SYS_seccomp)", calls_seccomp },
        { "_exit", calls__exit },
        { "_Exit", calls__Exit },
    };
    const char *text = getenv("TEST_DEPARTURES");
    int rounds = text && atoi(text) > 0 ? atoi(text) : ROUNDS;

    state.file = scratch_file("file", O_RDWR, BLOCK, 1);
    state.direct = scratch_file("direct", O_RDWR | O_DIRECT, BLOCK, 2);
    state.buffer = new_pages(2 * BLOCK);
    state.left_in_all = new_shared(sizeof *state.left_in_all);
    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        for (state.by_cancellation = 0; state.by_cancellation < 2; state.by_cancellation++) {
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
            if (state.by_cancellation)
                continue;
#endif
            state.call = calls[i].call;
            atomic_store(state.left_in_all, 0);
            for (int round = 0; round < rounds; round++) {
                long delay = 1 + rand() % 60000;
                pid_t pid = fork_child();

                if (pid == 0)
                    child(delay);
                CHECK_INT(exit_status(pid), STATUS);
            }
            fprintf(stderr, "%s by %s: left %d times in %d\n", calls[i].name,
                    state.by_cancellation ? "asynchronous cancellation by itself" : "siglongjmp",
                    atomic_load(state.left_in_all), rounds);
        }
    }
    return 0;
}
