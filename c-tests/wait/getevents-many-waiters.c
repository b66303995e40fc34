// face: libaio
/* Eight threads blocked on one context: each event wakes a thread, and no thread sleeps on although an event is there [A7]. */
#include "iocb.h"

#define THREADS 8
#define ROUNDS 500

static io_context_t context;
static _Atomic int taken;

static void *reaper(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct io_event event;

        CHECK_INT(io_getevents(context, 1, 1, &event, NULL), 1);
        CHECK_INT((long)event.res, 16);
        taken++;
    }
    return unused;
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);
    pthread_t threads[THREADS];
    struct iocb iocb, *list[THREADS];
    char buffer[16];

    context = make_context(64);
    io_prep_pread(&iocb, fd, buffer, 16, 0);
    for (int i = 0; i < THREADS; i++) {
        list[i] = &iocb;
        CHECK(pthread_create(&threads[i], NULL, reaper, NULL) == 0);
    }
    /* Not more than THREADS are out: when one sleeps on beside its event, this stands still. */
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_INT(io_submit(context, THREADS, list), THREADS);
        WAIT_UNTIL(taken == (i + 1) * THREADS);
    }
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    none_left(context);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
