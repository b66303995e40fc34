// face: libaio
/* Readers racing with io_destroy end in EINVAL, never in a fault. They read by the system call, because libaio's own
   io_getevents looks into the ring before it calls [A8] [A2]. */
#include "iocb.h"

#define THREADS 4

static io_context_t context;
static _Atomic int ready;

static void *reader(void *argument)
{
    struct timespec waits[] = {{0, 0}, {0, 100000}, {10, 0}};

    ready++;
    for (int i = (int)(intptr_t)argument;; i++) {
        struct io_event events[4];
        long ret = syscall(SYS_io_getevents, context, 1L, 4L, events, &waits[i % 3]);

        if (ret < 0) {
            CHECK_INT(errno, EINVAL);
            return NULL;
        }
    }
}

int main(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, 65536, 0);
    char *buffer = aligned(8 * 4096);

    for (int round = 0; round < 30; round++) {
        pthread_t threads[THREADS];
        struct iocb iocbs[8], *list[8];

        context = make_context(8);
        ready = 0;
        for (int i = 0; i < THREADS; i++)
            CHECK(pthread_create(&threads[i], NULL, reader, (void *)(intptr_t)i) == 0);
        WAIT_UNTIL(ready == THREADS);
        for (int i = 0; i < 8; i++) {
            list[i] = &iocbs[i];
            io_prep_pread(&iocbs[i], fd, buffer + i * 4096, 4096, i * 4096);
        }
        CHECK_INT(io_submit(context, 8, list), 8);
        CHECK_INT(io_destroy(context), 0);
        for (int i = 0; i < THREADS; i++)
            CHECK(pthread_join(threads[i], NULL) == 0);
    }
    return 0;
}
