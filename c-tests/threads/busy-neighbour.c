/* aio_fsync, aio_cancel(fd, NULL) and fcntl(F_SETFL) return although another thread always has a read in flight on another
   file [B8] [D8] (POSIX aio_fsync: "all I/O operations ... queued at the time of the call"; aio_cancel: those "against the
   given file descriptor"). */
#include <stdatomic.h>

#include "direct.h"

#define DEPTH 64

static int busy_file;
static atomic_int running, stop;

/* Never without a request in flight: one ends, the next begins. */
static void *keep_busy(void *unused)
{
    char *in = aligned_alloc(4096, DEPTH * BLOCK);
    struct aiocb cb[DEPTH];

    read_blocks(busy_file, 200);
    for (int i = 0; i < DEPTH; i++) {
        cb[i] = make_cb(busy_file, in + i * BLOCK, BLOCK, i * BLOCK);
        CHECK_INT(aio_read(&cb[i]), 0);
    }
    for (int i = 0; !atomic_load(&stop); i = (i + 1) % DEPTH) {
        CHECK_DONE(&cb[i], BLOCK);
        CHECK_INT(aio_read(&cb[i]), 0);
        atomic_store(&running, 1);
    }
    for (int i = 0; i < DEPTH; i++)
        CHECK_DONE(&cb[i], BLOCK);
    return unused;
}

int main(void)
{
    int other = temp_file(O_RDWR | O_DIRECT);
    pthread_t thread;

    busy_file = direct_file();
    thread = start_thread(keep_busy, NULL);
    WAIT_UNTIL(atomic_load(&running));
    alarm(DEADLINE_SECONDS);
    for (int round = 0; round < 10; round++) {
        struct aiocb sync = make_cb(other, NULL, 0, 0);

        CHECK_INT(aio_fsync(O_SYNC, &sync), 0);
        CHECK_DONE(&sync, 0);
        CHECK_INT(aio_cancel(other, NULL), AIO_ALLDONE);
        MUST(fcntl(other, F_SETFL, O_RDWR | (round % 2 ? O_DIRECT : 0)));
    }
    atomic_store(&stop, 1);
    join_thread(thread);
    return 0;
}
