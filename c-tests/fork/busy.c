/* fork at any moment: one thread forks children that use AIO while four others submit without pause; neither side is left
   waiting for a lock that no thread holds [C3]. */
// oracle-deadline: 3
#include "aiocb.h"
#include "process.h"

#include <stdatomic.h>

static int fd;
static atomic_int stop;
static atomic_long rounds;

static void *work(void *unused)
{
    char in[8];

    (void)unused;
    while (!atomic_load(&stop)) {
        struct aiocb cb[4];

        for (int i = 0; i < 4; i++) {
            cb[i] = make_cb(fd, in, sizeof in, i);
            CHECK_INT(aio_read(&cb[i]), 0);
        }
        for (int i = 0; i < 4; i++)
            CHECK_DONE(&cb[i], sizeof in);
        atomic_fetch_add(&rounds, 1);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[4];

    fd = pattern_file(O_RDWR, 100, 1);
    for (int i = 0; i < 4; i++)
        threads[i] = start_thread(work, NULL);
    for (int i = 0; i < 40; i++) {
        long before = atomic_load(&rounds);

        WAIT_UNTIL(atomic_load(&rounds) > before);
        pid_t child = MUST(fork());
        if (child == 0) {
            char in[8];
            struct aiocb cb = make_cb(fd, in, sizeof in, 0);

            CHECK_INT(aio_read(&cb), 0);
            CHECK_DONE(&cb, sizeof in);
            _exit(0);
        }
        CHECK_CHILD(child, 0);
    }
    atomic_store(&stop, 1);
    for (int i = 0; i < 4; i++)
        join_thread(threads[i]);
    return 0;
}
