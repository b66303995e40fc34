// face: libaio
/* A thread that always has a read in flight in one context delays nobody in another: events there are taken by another
   thread, and io_destroy returns (io_destroy(2): "will block on the completion of all operations" of that context alone)
   [A8] [D8]. */
#include "iocb.h"
#include "direct.h"

#define DEPTH 8
#define N 16
#define ROUNDS 10

static int fd;
static io_context_t shared[ROUNDS];
static struct reads left[ROUNDS];
static atomic_int busy, stop;

static void *keep_busy(void *unused)
{
    io_context_t own = make_context(64);
    struct iocb iocbs[DEPTH], *one;
    char *buffer = aligned(DEPTH * BLOCK);
    struct io_event event;

    read_blocks(own, fd, 200, 4);
    for (int i = 0; i < ROUNDS; i++)
        read_blocks(shared[i], fd, 200, 1);
    for (int i = 0; i < DEPTH; i++) {
        io_prep_pread(&iocbs[i], fd, buffer + i * BLOCK, BLOCK, i * BLOCK);
        submit_one(own, &iocbs[i]);
    }
    for (int i = 0; i < ROUNDS; i++)
        start_reads(shared[i], fd, &left[i], N);
    while (!atomic_load(&stop)) {
        reap(own, 1, &event);
        one = event.obj;
        io_prep_pread(one, fd, one->u.c.buf, BLOCK, 0);
        submit_one(own, one);
        atomic_store(&busy, 1);
    }
    for (int i = 0; i < DEPTH; i++)
        reap(own, 1, &event);
    CHECK_INT(io_destroy(own), 0);
    return unused;
}

int main(void)
{
    pthread_t thread;

    fd = direct_file();
    for (int i = 0; i < ROUNDS; i++)
        shared[i] = make_context(N);
    CHECK(pthread_create(&thread, NULL, keep_busy, NULL) == 0);
    WAIT_UNTIL(atomic_load(&busy));
    alarm(DEADLINE_SECONDS);
    for (int i = 0; i < ROUNDS; i++) {
        struct io_event events[N];

        if (i % 2) {
            reap(shared[i], N, events);
            check_reads(&left[i], events, N);
        }
        CHECK_INT(io_destroy(shared[i]), 0);
    }
    atomic_store(&stop, 1);
    CHECK(pthread_join(thread, NULL) == 0);
    return 0;
}
