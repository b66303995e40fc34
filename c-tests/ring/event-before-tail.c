// face: libaio
/* The event is whole before tail shows it: a thread that watches tail never sees a half-written one
   [A1] (the release store in fs/aio.c aio_complete, relied on by every reader of the ring). */
#include "iocb.h"

#define TOTAL 20000

static io_context_t context;
static struct iocb iocbs[64];
static _Atomic int taken;

static void *watch(void *unused)
{
    for (int i = 0; i < TOTAL; i++) {
        struct io_event event;
        int64_t end = deadline_ns();
        unsigned long turn = 0;

        while (!ring_take(context, &event))
            if (++turn % 100000 == 0 && now_ns() > end)
                FAIL("event %d did not come", i);
        /* data and obj were made to agree; res is the length asked for. */
        CHECK(event.obj == &iocbs[i % 64]);
        CHECK_INT((uintptr_t)event.data, i + 1);
        CHECK_INT((long)event.res, 1 + i % 500);
        CHECK_INT(event.res2, 0);
        atomic_store(&taken, i + 1);
    }
    return unused;
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);
    char buffer[512];
    pthread_t watcher;

    context = make_context(64);
    CHECK(pthread_create(&watcher, NULL, watch, NULL) == 0);
    for (int i = 0; i < TOTAL; i++) {
        struct iocb *iocb = &iocbs[i % 64];

        if (i >= 32)
            WAIT_UNTIL(atomic_load(&taken) > i - 32);
        io_prep_pread(iocb, fd, buffer, (size_t)(1 + i % 500), 0);
        iocb->data = (void *)(uintptr_t)(i + 1);
        submit_one(context, iocb);
    }
    CHECK(pthread_join(watcher, NULL) == 0);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
