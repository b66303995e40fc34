/* A child of vfork, which shares the memory and so the contexts, takes events out of them by io_getevents while threads of its parent
 * have requests in flight there: each comes once, to the child or to the parent, and neither is held up. (fs/aio.c finds a
 * context by the memory.) */
#include "prove.h"

#define N 16

static int fd, ends[2];
static struct left lefts[2];
static io_context_t contexts[2];
static _Atomic pid_t tid;

static void *leaves(void *unused)
{
    char byte;

    prove(contexts[1], fd, 80, 4);
    leave(contexts[1], fd, &lefts[1], N);
    tid = (pid_t)syscall(SYS_gettid);
    EQ(read(ends[0], &byte, 1), 1);
    return unused;
}

int main(void)
{
    fd = direct_file();
    CHECK(pipe(ends) == 0);
    alarm(PATIENCE);
    for (int round = 0; round < 20; round++) {
        struct io_event events[2][N];
        volatile int had[2] = {0, 0};
        pthread_t thread;

        contexts[0] = context_of(64);
        contexts[1] = context_of(64);
        tid = 0;
        CHECK(pthread_create(&thread, NULL, leaves, NULL) == 0);
        WAIT_FOR(tid && thread_state(tid) == 'S');
        prove(contexts[0], fd, 80, 4);
        leave(contexts[0], fd, &lefts[0], N);

        pid_t child = vfork();

        if (child == 0) {
            struct timespec now = {0, 0}, moment = {0, 1000000};

            for (int i = 0; i < 10; i++)
                for (int of = 0; of < 2; of++) {
                    int got = io_getevents(contexts[of], 0, N - had[of], events[of] + had[of], i % 2 ? &moment : &now);

                    if (got < 0)
                        _exit(2);
                    had[of] += got;
                }
            if (round % 2)
                execlp("true", "true", NULL);
            _exit(0);
        }
        EQ(exit_status(child), 0);
        for (int of = 0; of < 2; of++) {
            reap(contexts[of], N - had[of], events[of] + had[of]);
            check_left(&lefts[of], events[of], N);
            none_left(contexts[of]);
        }
        prove(contexts[0], fd, 80, 4);
        EQ(write(ends[1], "x", 1), 1);
        CHECK(pthread_join(thread, NULL) == 0);
        EQ(io_destroy(contexts[0]), 0);
        EQ(io_destroy(contexts[1]), 0);
    }
    return 0;
}
