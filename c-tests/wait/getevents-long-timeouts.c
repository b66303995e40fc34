// face: libaio
/* Timeouts far beyond any clock are accepted and mean for ever [A7] (fs/aio.c timespec64_to_ktime saturates). */
#include "iocb.h"

static io_context_t context;
static _Atomic int tid, result;
static struct io_event event;

static void *reaper(void *timeout)
{
    atomic_store(&tid, gettid());
    atomic_store(&result, io_getevents(context, 1, 1, &event, timeout));
    return NULL;
}

int main(void)
{
    struct timespec waits[] = {{LONG_MAX, 999999999}, {LONG_MAX, 0}, {INT_MAX, 0}, {(time_t)UINT_MAX + 1, 5},
                               {1000000000000, 0}, {LONG_MAX / 1000000000, 0}, {LONG_MAX / 1000000000 + 1, 0}};
    int fd = pattern_file(O_RDWR, 4096, 0);
    char buffer[16];
    struct iocb iocb;

    context = make_context(8);
    io_prep_pread(&iocb, fd, buffer, 16, 0);
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        pthread_t thread;

        tid = 0;
        result = 12345;
        CHECK(pthread_create(&thread, NULL, reaper, &waits[i]) == 0);
        WAIT_UNTIL(result != 12345 || (tid && thread_sleeps(tid)));
        if (result != 12345)
            FAIL("a timeout of %ld s gave %d at once", (long)waits[i].tv_sec, result);
        submit_one(context, &iocb);
        CHECK(pthread_join(thread, NULL) == 0);
        CHECK_INT(result, 1);
        CHECK(event.obj == &iocb);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
