// face: libaio
/* Eight threads submit, reap and destroy contexts at once, one of them another's: each io_destroy is 0 for exactly one
   caller, and every thread ends [A8]. */
#include "iocb.h"

#define THREADS 8
#define ROUNDS 12

static io_context_t shared;
static pthread_barrier_t barrier;
static _Atomic int destroyed;
static int fd;

static void *work(void *argument)
{
    int me = (int)(intptr_t)argument;
    char *buffer = aligned(4096);
    struct iocb iocb, *list = &iocb;

    for (int round = 0; round < ROUNDS; round++) {
        io_context_t own;
        struct io_event event;
        int ret;

        if (me == 0) {
            shared = make_context(256);
            destroyed = 0;
        }
        /* All are made before any is destroyed, for a new one might be given the old address. */
        own = make_context(4);
        pthread_barrier_wait(&barrier);
        for (int i = 0; i < 20; i++) {
            struct timespec now = {0, 0};

            io_prep_pread(&iocb, fd, buffer, 4096, me * 4096);
            submit_one(own, &iocb);
            reap(own, 1, &event);
            CHECK_INT((long)event.res, 4096);
            check_pattern_at(buffer, 64, 0, me * 4096);
            ret = io_submit(shared, 1, &list);
            CHECK(ret == 1 || ret == -EINVAL || ret == -EAGAIN);
            if (ret == 1) {
                /* By the system call: libaio would look into a ring that may be gone. */
                long got = syscall(SYS_io_getevents, shared, 0L, 1L, &event, &now);

                CHECK(got >= 0 || errno == EINVAL);
            }
            if (i == 10 + me) {
                ret = io_destroy(shared);
                CHECK(ret == 0 || ret == -EINVAL);
                destroyed += ret == 0;
            }
        }
        pthread_barrier_wait(&barrier);
        CHECK_INT(io_destroy(own), 0);
        CHECK_INT(destroyed, 1);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];

    fd = pattern_file(O_RDWR | O_DIRECT, 65536, 0);
    CHECK(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, work, (void *)(intptr_t)i) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    return 0;
}
