// face: posix
/* Eight threads submit reads, appends and reads of a pipe whenever a thread of the library's has ended, and again when all
   have: everything is done, and at last no thread is left.

   [E4] What the library has ended it starts again for the next request, whoever ends and whoever submits at that moment. */
#define ONE_REQUEST_POSIX
#include "one-request.h"

#define THREADS 8
#define ROUNDS 4

static int direct, append, ends[2];
static pthread_barrier_t barrier;

static void *submit(void *unused)
{
    unsigned char *buffer = new_pages(4096);

    (void)unused;
    for (int round = 0; round < 2 * ROUNDS; round++) {
        pthread_barrier_wait(&barrier);
        CHECK_INT(one_request(ONE_READ, direct, buffer, 4096, 0), 4096);
        CHECK_INT(one_request(ONE_WRITE, append, buffer, 1, 0), 1);
        CHECK_INT(one_request(ONE_WRITE, ends[1], buffer, 1, 0), 1);
        CHECK_INT(one_request(ONE_READ, ends[0], buffer, 1, 0), 1);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    int there;

    start_deadline();
    direct = scratch_file("direct", O_RDWR | O_DIRECT, 4096, 1);
    append = scratch_file("append", O_WRONLY | O_APPEND, 4096, 1);
    make_pipe(ends);
    CHECK_INT(pthread_barrier_init(&barrier, NULL, THREADS + 1), 0);
    for (int i = 0; i < THREADS; i++)
        threads[i] = start_thread(submit, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        STEP("requests while threads end");
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        /* The first that has nothing to do for a second. */
        for (there = count_threads(); count_threads() >= there && there > THREADS + 1;)
            ;
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        STEP("requests after all have ended");
        WAIT_UNTIL(count_threads() <= THREADS + 1);
    }
    for (int i = 0; i < THREADS; i++)
        join_thread(threads[i]);
    WAIT_UNTIL(count_threads() == 1);
    return 0;
}
