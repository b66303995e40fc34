/* A thread leaves O_DIRECT requests in flight and sleeps, or runs without a call: another thread sees them end, by
   aio_suspend or by asking aio_error, while the first is still away [B10] [D8] (POSIX names no thread). */
#include <poll.h>
#include <stdatomic.h>

#include "direct.h"

#define N 16

enum way { PIPE, POLL, SEMAPHORE, SPIN, WAYS };

static int fd, ends[2];
static enum way way;
static struct reads left;
static atomic_int away, back;
static sem_t semaphore;

static void *submitter(void *unused)
{
    struct pollfd entry = { .fd = ends[0], .events = POLLIN };
    char byte;

    read_blocks(fd, 300);
    start_reads(fd, &left, N);
    atomic_store(&away, this_thread());
    switch (way) {
    case POLL:
        while (poll(&entry, 1, -1) == -1)
            CHECK_INT(errno, EINTR);
        /* fall through */
    case PIPE:
        CHECK_INT(read(ends[0], &byte, 1), 1);
        break;
    case SEMAPHORE:
        MUST(sem_wait(&semaphore));
        break;
    default:
        while (!atomic_load(&back))
            ;
    }
    CHECK(atomic_load(&back));
    return unused;
}

int main(void)
{
    fd = direct_file();
    make_pipe(ends);
    sem_init(&semaphore, 0, 0);
    for (int asks = 0; asks < 2; asks++)
        for (way = 0; way < WAYS; way++) {
            pthread_t thread;

            atomic_store(&away, 0);
            atomic_store(&back, 0);
            thread = start_thread(submitter, NULL);
            WAIT_UNTIL(atomic_load(&away) && (way == SPIN || thread_sleeps(atomic_load(&away))));
            for (int i = 0; i < N; i++) {
                const struct aiocb *list[] = { &left.cb[i] };

                if (asks)
                    WAIT_UNTIL(aio_error(&left.cb[i]) != EINPROGRESS);
                else
                    CHECK_INT(aio_suspend(list, 1, NULL), 0);
            }
            check_reads(&left, N);
            atomic_store(&back, 1);
            if (way == SEMAPHORE)
                sem_post(&semaphore);
            else if (way != SPIN)
                CHECK_INT(write(ends[1], "x", 1), 1);
            join_thread(thread);
        }
    return 0;
}
