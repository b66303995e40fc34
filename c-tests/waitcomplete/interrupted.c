/* aio_waitcomplete ends with EINTR after a handler, goes on after one with SA_RESTART where it has no time limit, and can be
   left by siglongjmp and by cancellation: the next call gets what ends then [B18] (FreeBSD vfs_aio.c, kern_aio_waitcomplete:
   ERESTART is EINTR only with a time limit). */
// links: uringaio
// unsanitized: asan tsan -- what a canceled thread leaves on its stack stays marked in the library, and its own end meets that; a
//   handler is put off until the wait ends, which the kernel begins again
#include "aiocb.h"
#include "process.h"

#include <setjmp.h>

static sigjmp_buf place;
static volatile sig_atomic_t jumps, handled;
static _Atomic pid_t waiter;
static ssize_t answer;
static int error;
static struct aiocb *got;
static struct timespec long_time;

static void handle(int signal)
{
    (void)signal;
    handled++;
    if (jumps)
        siglongjmp(place, 1);
}

static void *wait_for_one(void *timeout)
{
    waiter = this_thread();
    if (sigsetjmp(place, 1) == 0) {
        answer = aio_waitcomplete(&got, timeout);
        error = errno;
    } else
        answer = -2;
    return NULL;
}

static void set(int flags)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = handle;
    action.sa_flags = flags;
    MUST(sigaction(SIGUSR1, &action, NULL));
    handled = 0;
    waiter = 0;
}

static pthread_t start_and_interrupt(void *timeout)
{
    pthread_t thread = start_thread(wait_for_one, timeout);

    WAIT_UNTIL(waiter != 0 && thread_sleeps(waiter));
    CHECK_INT(pthread_kill(thread, SIGUSR1), 0);
    return thread;
}

int main(void)
{
    struct aiocb cb;
    int ends[2];
    char byte;
    void *result;
    pthread_t thread;

    long_time.tv_sec = DEADLINE_SECONDS;
    make_pipe(ends);
    cb = make_cb(ends[0], &byte, 1, 0);
    CHECK_INT(aio_read(&cb), 0);

    set(0);
    pthread_join(start_and_interrupt(NULL), NULL);
    CHECK_INT(answer, -1);
    CHECK_INT(error, EINTR);
    CHECK(got == NULL);
    set(SA_RESTART);
    pthread_join(start_and_interrupt(&long_time), NULL);
    CHECK_INT(answer, -1);
    CHECK_INT(error, EINTR);

    set(SA_RESTART);
    thread = start_and_interrupt(NULL);
    WAIT_UNTIL(handled == 1 && thread_sleeps(waiter));
    CHECK_INT(write(ends[1], "a", 1), 1);
    pthread_join(thread, NULL);
    CHECK_INT(answer, 1);
    CHECK(got == &cb);

    CHECK_INT(aio_read(&cb), 0);
    set(0);
    jumps = 1;
    pthread_join(start_and_interrupt(NULL), NULL);
    CHECK_INT(answer, -2);
    jumps = 0;
    waiter = 0;
    thread = start_thread(wait_for_one, NULL);
    WAIT_UNTIL(waiter != 0 && thread_sleeps(waiter));
    CHECK_INT(pthread_cancel(thread), 0);
    CHECK_INT(pthread_join(thread, &result), 0);
    CHECK(result == PTHREAD_CANCELED);

    CHECK_INT(write(ends[1], "b", 1), 1);
    CHECK_INT(aio_waitcomplete(&got, &long_time), 1);
    CHECK(got == &cb);
    return 0;
}
