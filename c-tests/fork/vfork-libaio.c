// face: libaio
// unsanitized: tsan -- the runtime makes vfork a fork
/* A child of vfork shares the memory and so the contexts (fs/aio.c finds a context by the memory). It takes events while
   threads of its parent have O_DIRECT requests in flight: each event comes once, to the child or to the parent, and neither
   is delayed [A12] [D8]. */
#include "iocb.h"
#include "direct.h"

#define N 16

static int fd, ends[2];
static struct reads lefts[2];
static io_context_t contexts[2];
static _Atomic pid_t tid;

static void *leaves(void *unused)
{
    char byte;

    read_blocks(contexts[1], fd, 80, 4);
    start_reads(contexts[1], fd, &lefts[1], N);
    tid = (pid_t)syscall(SYS_gettid);
    CHECK_INT(read(ends[0], &byte, 1), 1);
    return unused;
}

int main(void)
{
    fd = direct_file();
    CHECK(pipe(ends) == 0);
    alarm(DEADLINE_SECONDS);
    for (int round = 0; round < 20; round++) {
        struct io_event events[2][N];
        volatile int had[2] = {0, 0};
        pthread_t thread;

        contexts[0] = make_context(64);
        contexts[1] = make_context(64);
        tid = 0;
        CHECK(pthread_create(&thread, NULL, leaves, NULL) == 0);
        WAIT_UNTIL(tid && thread_sleeps(tid));
        read_blocks(contexts[0], fd, 80, 4);
        start_reads(contexts[0], fd, &lefts[0], N);

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
        CHECK_CHILD(child, 0);
        for (int of = 0; of < 2; of++) {
            reap(contexts[of], N - had[of], events[of] + had[of]);
            check_reads(&lefts[of], events[of], N);
            none_left(contexts[of]);
        }
        read_blocks(contexts[0], fd, 80, 4);
        CHECK_INT(write(ends[1], "x", 1), 1);
        CHECK(pthread_join(thread, NULL) == 0);
        CHECK_INT(io_destroy(contexts[0]), 0);
        CHECK_INT(io_destroy(contexts[1]), 0);
    }
    return 0;
}
