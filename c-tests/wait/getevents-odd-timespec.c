// face: libaio
/* The kernel does not check the timespec: a negative time means for ever, not at once and not EINVAL, and a tv_nsec of
   more than a second is added up [A7] (fs/aio.c, hrtimers saturate; measured on Linux 6.18). */
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
    struct timespec waits[] = {{-1, 0}, {0, -1}, {-5, 999999999}, {1, -2000000000}, {LONG_MAX, -1}};
    struct timespec later = {0, 1200000000};
    int fd = pattern_file(O_RDWR, 4096, 0);
    char buffer[16];
    struct iocb iocb;
    int64_t start;

    context = make_context(8);
    io_prep_pread(&iocb, fd, buffer, 16, 0);
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        pthread_t thread;

        tid = 0;
        result = 12345;
        CHECK(pthread_create(&thread, NULL, reaper, &waits[i]) == 0);
        WAIT_UNTIL(result != 12345 || (tid && thread_sleeps(tid)));
        if (result != 12345)
            FAIL("{%ld, %ld} gave %d at once", (long)waits[i].tv_sec, waits[i].tv_nsec, result);
        submit_one(context, &iocb);
        CHECK(pthread_join(thread, NULL) == 0);
        CHECK_INT(result, 1);
        /* What is there is given, whatever the time. */
        submit_one(context, &iocb);
        WAIT_UNTIL(ring_ready(context) == 1);
        CHECK_INT(io_getevents(context, 1, 1, &event, &waits[i]), 1);
        CHECK(event.obj == &iocb);
    }
    start = now_ns();
    CHECK_INT(io_getevents(context, 1, 1, &event, &later), 0);
    CHECK(now_ns() - start >= 1200000000);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
