// face: libaio
/* A NULL timeout with nothing in flight blocks, until another thread submits [A7]. */
#include "iocb.h"

static io_context_t context;
static _Atomic int tid, result;
static struct io_event event;

static void *reaper(void *unused)
{
    atomic_store(&tid, gettid());
    atomic_store(&result, io_getevents(context, 1, 1, &event, NULL));
    return unused;
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);
    pthread_t thread;
    struct iocb iocb;
    char buffer[16];

    context = make_context(8);
    for (int round = 0; round < 20; round++) {
        tid = 0;
        result = -12345;
        CHECK(pthread_create(&thread, NULL, reaper, NULL) == 0);
        WAIT_UNTIL(tid && thread_sleeps(tid));
        CHECK_INT(result, -12345);
        io_prep_pread(&iocb, fd, buffer, 16, 0);
        submit_one(context, &iocb);
        CHECK(pthread_join(thread, NULL) == 0);
        CHECK_INT(result, 1);
        CHECK(event.obj == &iocb);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
