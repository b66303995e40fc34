// face: libaio
// unsanitized: tsan -- the runtime does not bear that a thread ends in the middle of it, by asynchronous cancellation
/* io_getevents is no cancellation point (it is a system call and nothing else): a thread that is cancelled there gets its
   events all the same. With asynchronous cancellation, or by a jump out of a signal handler, it leaves the call at once;
   its requests end, and others take the events and destroy the context [D7]. */
#include <setjmp.h>

#include "iocb.h"
#include "direct.h"

#define SIZE (4 << 20)
#define N 4

enum { DEFERRED, ASYNCHRONOUS, JUMPS, WAYS };

static int fd, goes_on;
static char *in;
static struct iocb iocbs[N];
static io_context_t context;
static pthread_barrier_t barrier;
static _Atomic pid_t waiter;
static sigjmp_buf out;

static const char *block_of(long offset)
{
    static char block[4096];

    fill_pattern_at(block, sizeof(block), 0, offset);
    return block;
}

static void jump(int signal)
{
    (void)signal;
    siglongjmp(out, 1);
}

static int is_read(void)
{
    for (long at = 0; at < (long)N * SIZE; at += 4096)
        if (memcmp(in + at, block_of(at % SIZE), 4096) != 0)
            return 0;
    return 1;
}

static void *waits(void *argument)
{
    long how = (long)argument;
    struct iocb *list[N];
    struct io_event events[N + 1];

    read_blocks(context, fd, 80, 4);
    for (int i = 0; i < N; i++) {
        list[i] = &iocbs[i];
        io_prep_pread(&iocbs[i], fd, in + i * SIZE, SIZE, 0);
    }
    CHECK_INT(io_submit(context, N, list), N);
    waiter = (pid_t)syscall(SYS_gettid);
    if (how == JUMPS && sigsetjmp(out, 1)) {
        goes_on = 1;
        pthread_barrier_wait(&barrier);
        return NULL;
    }
    pthread_barrier_wait(&barrier);
    if (how == ASYNCHRONOUS)
        pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    if (how != DEFERRED) {
        /* One more than there are, so that the call does not return by itself. */
        io_getevents(context, N + 1, N + 1, events, NULL);
        FAIL("io_getevents returned");
    }
    /* -EINTR: since glibc 2.41 pthread_cancel sends a signal, and its handler runs, for deferred cancellation, too. */
    for (int got = 0, now; got < N; got += now > 0 ? now : 0)
        CHECK((now = io_getevents(context, N - got, N - got, events + got, NULL)) > 0 || now == -EINTR);
    for (int i = 0; i < N; i++)
        CHECK_INT((long)events[i].res, SIZE);
    goes_on = 1;
    pthread_barrier_wait(&barrier);
    pthread_testcancel();
    FAIL("was not cancelled");
}

int main(void)
{
    fd = pattern_file(O_RDWR | O_DIRECT, SIZE, 0);
    in = aligned(N * SIZE);
    pthread_barrier_init(&barrier, NULL, 2);
    signal(SIGUSR1, jump);
    alarm(DEADLINE_SECONDS);
    for (long round = 0; round < 10 * WAYS; round++) {
        long how = round % WAYS;
        struct io_event events[N];
        pthread_t thread;
        void *answer;

        context = make_context(16);
        goes_on = 0;
        memset(in, 0, N * SIZE);
        CHECK(pthread_create(&thread, NULL, waits, (void *)how) == 0);
        pthread_barrier_wait(&barrier);
        WAIT_UNTIL(thread_sleeps(waiter) || goes_on);
        CHECK((how == JUMPS ? pthread_kill(thread, SIGUSR1) : pthread_cancel(thread)) == 0);
        if (how != DEFERRED) {
            struct timespec now = {0, 0};

            WAIT_UNTIL(is_read());
            /* The thread may have taken some of them, and the last may be just arriving. */
            CHECK(io_getevents(context, 0, N, events, &now) >= 0);
        }
        if (how != ASYNCHRONOUS)
            pthread_barrier_wait(&barrier);
        CHECK(pthread_join(thread, &answer) == 0);
        CHECK(answer == (how == JUMPS ? NULL : PTHREAD_CANCELED));
        CHECK_INT(goes_on, how != ASYNCHRONOUS);
        for (int i = 0; i < N; i++)
            check_pattern_at(in + i * SIZE, SIZE, 0, 0);
        if (how == DEFERRED)
            none_left(context);
        CHECK_INT(io_destroy(context), 0);
    }
    return 0;
}
