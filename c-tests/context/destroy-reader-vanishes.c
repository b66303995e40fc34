// face: libaio
/* A thread leaves io_getevents without returning: by asynchronous cancellation, by pthread_exit in a signal handler, by
   siglongjmp. io_destroy does not wait for it, and requests in flight complete for other threads [A8] [D7]. */
#include <setjmp.h>

#include "iocb.h"
#include "direct.h"

#define ROUNDS 40

static io_context_t context;
static int fd;
static pid_t tid;
static atomic_int started;
static sigjmp_buf back;

static void end_thread(int number)
{
    (void)number;
    pthread_exit(NULL);
}

static void jump(int number)
{
    (void)number;
    siglongjmp(back, 1);
}

static void wait_there(void)
{
    struct io_event events[2];

    tid = (pid_t)syscall(SYS_gettid);
    atomic_store(&started, 1);
    for (;;)
        io_getevents(context, 2, 2, events, NULL);
}

static void *cancelled(void *unused)
{
    int before;

    read_blocks(context, fd, 100, 1);
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &before);
    wait_there();
    return unused;
}

static void *ended(void *unused)
{
    wait_there();
    return unused;
}

static void *jumped(void *unused)
{
    read_blocks(context, fd, 100, 1);
    if (sigsetjmp(back, 1) == 0)
        wait_there();
    /* Its next call is as any other. */
    read_blocks(context, fd, 10, 1);
    return unused;
}

static void leave_by(void *(*body)(void *), int signal)
{
    struct reads left = {.buffer = NULL};
    struct io_event event;
    pthread_t thread;

    context = make_context(8);
    atomic_store(&started, 0);
    CHECK(pthread_create(&thread, NULL, body, NULL) == 0);
    WAIT_UNTIL(atomic_load(&started));
    WAIT_UNTIL(thread_sleeps(tid));
    CHECK((signal ? pthread_kill(thread, signal) : pthread_cancel(thread)) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    start_reads(context, fd, &left, 1);
    reap(context, 1, &event);
    check_reads(&left, &event, 1);
    start_reads(context, fd, &left, 4);
    CHECK_INT(io_destroy(context), 0);
    for (int i = 0; i < 4; i++)
        check_pattern_at(left.buffer + i * BLOCK, BLOCK, 0, i * BLOCK);
    free(left.buffer);
}

int main(void)
{
    struct sigaction ends = {.sa_handler = end_thread}, jumps = {.sa_handler = jump};

    alarm(DEADLINE_SECONDS);
    fd = direct_file();
    CHECK(sigaction(SIGUSR1, &ends, NULL) == 0);
    CHECK(sigaction(SIGUSR2, &jumps, NULL) == 0);
    for (int i = 0; i < ROUNDS; i++) {
        leave_by(cancelled, 0);
        leave_by(ended, SIGUSR1);
        leave_by(jumped, SIGUSR2);
    }
    return 0;
}
