// face: libaio
/* Four threads submit to and reap from one context: every event once, to one of them [A7] [A1]. */
#include "iocb.h"

#define THREADS 4
#define EACH 3000

static io_context_t context;
static int fd;
static _Atomic int taken;
static _Atomic char seen[THREADS * EACH];
static struct iocb iocbs[THREADS * EACH];
static char buffers[THREADS][16];

static void *work(void *argument)
{
    int me = (int)(intptr_t)argument;
    int started = 0;

    while (taken < THREADS * EACH) {
        struct timespec little = {0, 1000000};
        struct io_event events[8];
        int n;

        for (int i = 0; i < 4 && started < EACH; i++) {
            struct iocb *one = &iocbs[me * EACH + started];
            int ret;

            io_prep_pread(one, fd, buffers[me], 16, 0);
            ret = io_submit(context, 1, &one);
            if (ret == -EAGAIN)
                break;
            CHECK_INT(ret, 1);
            started++;
        }
        n = io_getevents(context, 1, 8, events, &little);
        CHECK(n >= 0);
        for (int i = 0; i < n; i++) {
            CHECK_INT((long)events[i].res, 16);
            CHECK_INT(atomic_fetch_add(&seen[events[i].obj - iocbs], 1), 0);
        }
        taken += n;
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];

    fd = pattern_file(O_RDWR, 4096, 0);
    context = make_context(32);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, work, (void *)(intptr_t)i) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK_INT(taken, THREADS * EACH);
    none_left(context);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
