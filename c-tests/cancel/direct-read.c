// face: libaio
/* io_cancel of an O_DIRECT read [A9]: the kernel cannot stop it and says EINVAL (fs/aio.c: only requests with a cancel
   function), to the submitting thread and to others. Its event arrives once, as if nothing had been asked. */
// columns: oracle preload engine drop-in -- our threads can stop a read that none of them has begun, and say EINPROGRESS
#include "iocb.h"
#include "direct.h"

#define SIZE (1 << 20)
#define N 8

static io_context_t context;
static struct iocb iocbs[N];

static void *cancels(void *unused)
{
    struct io_event event;

    for (int i = 0; i < N; i++)
        CHECK_INT(io_cancel(context, &iocbs[i], &event), -EINVAL);
    return unused;
}

int main(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, SIZE, 0);
    char *in = aligned(N * SIZE);

    for (int round = 0; round < 40; round++) {
        struct iocb *list[N];
        struct io_event events[N];
        pthread_t thread;

        if (round % 8 == 0) {
            if (context)
                CHECK_INT(io_destroy(context), 0);
            context = make_context(64);
        }
        read_blocks(context, fd, 80, 4);
        memset(in, 0, N * SIZE);
        for (int i = 0; i < N; i++) {
            list[i] = &iocbs[i];
            io_prep_pread(&iocbs[i], fd, in + i * SIZE, SIZE, 0);
        }
        CHECK_INT(io_submit(context, N, list), N);
        if (round % 8 < 6) {
            cancels(NULL);
        } else {
            CHECK(pthread_create(&thread, NULL, cancels, NULL) == 0);
            CHECK(pthread_join(thread, NULL) == 0);
        }
        reap(context, N, events);
        for (int i = 0; i < N; i++)
            CHECK_INT((long)events[i].res, SIZE);
        check_pattern_at(in + round % N * SIZE, SIZE, 0, 0);
        none_left(context);
    }
    return 0;
}
