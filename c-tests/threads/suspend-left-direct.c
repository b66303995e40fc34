/* A thread is cancelled in aio_suspend, or leaves it by a jump out of a handler (POSIX allows both: it is a cancellation
   point, and async-signal-safe), with requests in flight: these end for others that ask for them, also while the thread is
   still cleaning up or has gone on to something else [B16] [D7]. */
#include <setjmp.h>
#include <stdatomic.h>

#include "direct.h"

#define SIZE (4 << 20)
#define N 4

static int fd, ends[2];
static struct aiocb cb[N], never;
static char *in, byte;
static pthread_barrier_t barrier;
static _Atomic pid_t waiter;
static atomic_int over;
static sigjmp_buf out;

static void jump(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    siglongjmp(out, 1);
}

/* Sleeps until the others have seen the requests end. */
static void lingers(void *unused)
{
    (void)unused;
    while (!atomic_load(&over))
        pause_ms(1);
}

static void *waits(void *argument)
{
    const struct aiocb *list[] = { &never };
    long how = (long)argument;

    pthread_cleanup_push(lingers, NULL);
    read_blocks(fd, 80);
    never = make_cb(ends[0], &byte, 1, 0);
    CHECK_INT(aio_read(&never), 0);
    for (int i = 0; i < N; i++) {
        cb[i] = make_cb(fd, in + i * SIZE, SIZE, 0);
        CHECK_INT(aio_read(&cb[i]), 0);
    }
    waiter = this_thread();
    if (how % 2 == 0 || sigsetjmp(out, 1) == 0) {
        pthread_barrier_wait(&barrier);
        aio_suspend(list, 1, how % 4 < 2 ? NULL : &(struct timespec){ 1000, 0 });
        FAIL("aio_suspend returned");
    }
    lingers(NULL);
    read_blocks(fd, 80);
    pthread_cleanup_pop(0);
    return NULL;
}

int main(void)
{
    fd = temp_file(O_RDWR | O_DIRECT);
    in = aligned_alloc(4096, N * SIZE);
    fill_pattern(in, SIZE, 1);
    CHECK_INT(pwrite(fd, in, SIZE, 0), SIZE);
    make_pipe(ends);
    pthread_barrier_init(&barrier, NULL, 2);
    on_signal(SIGUSR1, jump, 0);
    for (long how = 0; how < 40; how++) {
        pthread_t thread;

        atomic_store(&over, 0);
        memset(in, 0, N * SIZE);
        thread = start_thread(waits, (void *)how);
        pthread_barrier_wait(&barrier);
        WAIT_UNTIL(thread_sleeps(waiter));
        CHECK_INT(how % 2 ? pthread_kill(thread, SIGUSR1) : pthread_cancel(thread), 0);
        for (int i = 0; i < N; i++) {
            /* Asked after, or waited for. */
            if (how % 8 < 4)
                WAIT_UNTIL(aio_error(&cb[i]) != EINPROGRESS);
            CHECK_DONE(&cb[i], SIZE);
            CHECK(is_pattern(in + i * SIZE, SIZE, 1));
        }
        CHECK_PENDING(&never);
        atomic_store(&over, 1);
        CHECK(join_thread(thread) == (how % 2 ? NULL : PTHREAD_CANCELED));
        CHECK_INT(write(ends[1], "x", 1), 1);
        CHECK_DONE(&never, 1);
    }
    return 0;
}
