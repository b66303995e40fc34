// face: libaio
/* A context of libaio, reaped by syscall(SYS_io_getevents) in another thread [A2] (MariaDB does this and aborts on
   EINVAL). */
#include "iocb.h"

#define TOTAL 2000

static io_context_t context;

static void *reaper(void *unused)
{
    int have = 0;

    while (have < TOTAL) {
        struct timespec half = {0, 500000000};
        struct io_event events[16];
        long n = syscall(SYS_io_getevents, context, 1L, 16L, events, have % 2 ? &half : NULL);

        if (n < 0)
            FAIL("io_getevents: errno %d", errno);
        for (long i = 0; i < n; i++)
            CHECK_INT((long)events[i].res, 4096);
        have += (int)n;
    }
    CHECK_INT(have, TOTAL);
    return unused;
}

int main(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, 1 << 20, 0);
    char *buffer = aligned(64 * 4096);
    struct iocb iocbs[64];
    pthread_t thread;

    context = make_context(64);
    CHECK(pthread_create(&thread, NULL, reaper, NULL) == 0);
    for (int i = 0; i < TOTAL; i++) {
        struct iocb *one = &iocbs[i % 64];
        int ret;

        io_prep_pread(one, fd, buffer + i % 64 * 4096, 4096, i % 256 * 4096);
        for (int64_t end = deadline_ns(); (ret = io_submit(context, 1, &one)) == -EAGAIN; usleep(100))
            if (now_ns() > end)
                FAIL("io_submit: EAGAIN for ever");
        CHECK_INT(ret, 1);
    }
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
