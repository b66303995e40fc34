/* Threads that wait in aio_waitcomplete beside threads that submit: each request comes to one of them, once, with its bytes;
   and in a child of fork those of the child alone [B18]. */
// links: uringaio
#include "aiocb.h"
#include "memory.h"
#include "process.h"

#include <stdatomic.h>

#define SUBMITTERS 3
#define WAITERS 3
#define EACH 400

static struct aiocb cb[SUBMITTERS][EACH];
static char (*in)[4096];
static atomic_int seen[SUBMITTERS][EACH], left = SUBMITTERS * EACH;
static int fd, direct;

static void *submit(void *argument)
{
    int me = (int)(intptr_t)argument;

    for (int i = 0; i < EACH; i++) {
        cb[me][i] = make_cb(i % 2 ? fd : direct, in[me * EACH + i], 4096, i % 16 * 4096);
        CHECK_INT(aio_read(&cb[me][i]), 0);
    }
    return NULL;
}

static void *take(void *argument)
{
    (void)argument;
    for (;;) {
        struct aiocb *got;
        ssize_t result = aio_waitcomplete(&got, &(struct timespec){ DEADLINE_SECONDS, 0 });
        long which;

        CHECK(got != NULL);
        if (result == -1) {
            CHECK_INT(errno, EBADF);
            return NULL;
        }
        which = got - cb[0];
        CHECK_INT(result, 4096);
        CHECK_INT(atomic_fetch_add(&seen[which / EACH][which % EACH], 1), 0);
        check_pattern_at((void *)got->aio_buf, 4096, 0, got->aio_offset);
        atomic_fetch_sub(&left, 1);
    }
}

int main(void)
{
    pthread_t submitters[SUBMITTERS], waiters[WAITERS];
    static struct aiocb bad[WAITERS];
    struct aiocb mine, *got;
    char byte;
    pid_t child;

    fd = pattern_file(O_RDWR, 16 * 4096, 0);
    direct = reopen(fd, O_RDWR | O_DIRECT);
    in = aligned(SUBMITTERS * EACH * 4096);
    for (int i = 0; i < WAITERS; i++)
        waiters[i] = start_thread(take, NULL);
    for (int i = 0; i < SUBMITTERS; i++)
        submitters[i] = start_thread(submit, (void *)(intptr_t)i);
    for (int i = 0; i < SUBMITTERS; i++)
        CHECK_INT(pthread_join(submitters[i], NULL), 0);
    WAIT_UNTIL(left == 0);
    /* One for each thread that still waits. */
    for (int i = 0; i < WAITERS; i++) {
        bad[i] = make_cb(-1, NULL, 1, 0);
        CHECK_INT(aio_read(&bad[i]), 0);
    }
    for (int i = 0; i < WAITERS; i++)
        CHECK_INT(pthread_join(waiters[i], NULL), 0);

    mine = make_cb(fd, &byte, 1, 0);
    CHECK_INT(aio_read(&mine), 0);
    child = MUST(fork());
    if (child == 0) {
        struct aiocb its = make_cb(fd, &byte, 1, 5);

        CHECK_FAILS(aio_waitcomplete(&got, &(struct timespec){ 0, 0 }), EAGAIN);
        CHECK_INT(aio_read(&its), 0);
        CHECK_INT(aio_waitcomplete(&got, NULL), 1);
        CHECK(got == &its);
        END_PROCESS(0);
    }
    CHECK_INT(await_child(child), 0);
    CHECK_INT(aio_waitcomplete(&got, NULL), 1);
    CHECK(got == &mine);
    return 0;
}
