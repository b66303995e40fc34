/* Eight threads blocked on one context: each event wakes someone, none sleeps on beside an event (A7). */
#include "libaio-test.h"

#define THREADS 8
#define ROUNDS 500

static io_context_t context;
static _Atomic int taken;

static void *reaper(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct io_event event;

        EQ(io_getevents(context, 1, 1, &event, NULL), 1);
        EQ((long)event.res, 16);
        taken++;
    }
    return unused;
}

int main(void)
{
    int fd = scratch(O_RDWR, 4096);
    pthread_t threads[THREADS];
    struct iocb iocb, *list[THREADS];
    char buffer[16];

    context = context_of(64);
    io_prep_pread(&iocb, fd, buffer, 16, 0);
    for (int i = 0; i < THREADS; i++) {
        list[i] = &iocb;
        CHECK(pthread_create(&threads[i], NULL, reaper, NULL) == 0);
    }
    /* Not more than THREADS are out: when one sleeps on beside its event, this stands still. */
    for (int i = 0; i < ROUNDS; i++) {
        EQ(io_submit(context, THREADS, list), THREADS);
        WAIT_FOR(taken == (i + 1) * THREADS);
    }
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    none_left(context);
    EQ(io_destroy(context), 0);
    return 0;
}
