// face: posix
// columns: oracle preload drop-in threads -- it takes long
/* A program has a handler without SA_RESTART installed, which never runs, as for crashes. Twenty thousand waits in
   aio_suspend without a time limit and five thousand in lio_listio(LIO_WAIT), beside another thread that waits for a
   request of the first one, never end with EINTR.

   [F9] aio_suspend(3), lio_listio(3): EINTR when the call was interrupted by a signal; none was delivered. */
#include "aiocb.h"
#include "behaviour.h"

#define WAITS 20000
#define LISTS 5000
#define BLOCK 4096

static struct aiocb shared; /* submitted by the main thread, waited for by the other */
static atomic_int submitted, waited_for, quit;

static void never(int signal)
{
    (void)signal;
    FAIL("the handler ran");
}

/* Waits for each shared request, while the main thread waits for another. */
static void *neighbour(void *unused)
{
    (void)unused;
    for (int last = 0; !atomic_load(&quit);) {
        if (atomic_load(&submitted) == last) {
            sched_yield();
            continue;
        }
        last = atomic_load(&submitted);
        AWAIT_CB(&shared);
        atomic_store(&waited_for, last);
    }
    return NULL;
}

int main(void)
{
    int direct, cached, interrupted = 0, lists_interrupted = 0;
    unsigned char *buffer;
    pthread_t thread;

    start_deadline();
    set_handler(SIGSEGV, never, 0);
    set_handler(SIGTERM, never, 0);
    direct = scratch_file("direct", O_RDWR | O_DIRECT, BLOCK, 1);
    cached = scratch_file("cached", O_RDWR, BLOCK, 1);
    buffer = new_pages(3 * BLOCK);
    thread = start_thread(neighbour, NULL);
    STEP("the waits in aio_suspend");
    for (int i = 0; i < WAITS; i++) {
        struct aiocb cb = make_cb(i % 32 ? direct : cached, buffer, BLOCK, 0);
        const struct aiocb *list[1] = { &cb };

        CHECK_INT(i % 64 == 8 ? aio_write(&cb) : aio_read(&cb), 0);
        if (i % 8 == 7) {
            shared = make_cb(direct, buffer + 2 * BLOCK, BLOCK, 0);
            CHECK_INT(aio_read(&shared), 0);
            atomic_fetch_add(&submitted, 1);
        }
        while (aio_suspend(list, 1, NULL) == -1) {
            CHECK_INT(errno, EINTR);
            interrupted++;
        }
        CHECK_DONE(&cb, BLOCK);
        while (atomic_load(&waited_for) != atomic_load(&submitted))
            sched_yield();
    }
    STEP("the waits in lio_listio");
    for (int i = 0; i < LISTS; i++) {
        struct aiocb cbs[2] = { make_cb(direct, buffer, BLOCK, 0), make_cb(direct, buffer + BLOCK, BLOCK, 0) };
        struct aiocb *list[2] = { &cbs[0], &cbs[1] };

        cbs[0].aio_lio_opcode = cbs[1].aio_lio_opcode = LIO_READ;
        if (lio_listio(LIO_WAIT, list, 2, NULL) == -1) {
            CHECK_INT(errno, EINTR);
            lists_interrupted++;
        }
        CHECK_DONE(&cbs[0], BLOCK);
        CHECK_DONE(&cbs[1], BLOCK);
    }
    if (interrupted || lists_interrupted)
        FAIL("EINTR without a signal from %d of %d waits in aio_suspend and %d of %d in lio_listio", interrupted, WAITS,
             lists_interrupted, LISTS);
    atomic_store(&quit, 1);
    join_thread(thread);
    return 0;
}
