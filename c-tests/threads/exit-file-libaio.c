// face: libaio
/* The submitting thread may end with file I/O in flight, cold buffered reads, O_DIRECT and fsync: all of it goes on and
   another thread reaps it [B13]. */
#include "iocb.h"

#define N 16

static io_context_t context;
static int fd, direct;
static struct iocb iocbs[N];
static char *buffer;

static void *submitter(void *unused)
{
    struct iocb *list[N];

    for (int i = 0; i < N; i++) {
        list[i] = &iocbs[i];
        io_prep_pread(&iocbs[i], i % 2 ? fd : direct, buffer + i * 65536, 65536, i * 65536);
        if (i == 7)
            io_prep_fsync(&iocbs[i], fd);
    }
    CHECK_INT(io_submit(context, N, list), N);
    return unused;
}

int main(void)
{
    fd = pattern_file(O_RDWR, N * 65536, 0);
    direct = reopen(fd, O_RDWR | O_DIRECT);
    buffer = aligned(N * 65536);
    context = make_context(N);
    for (int round = 0; round < 20; round++) {
        struct io_event events[N];
        pthread_t thread;

        memset(buffer, 0, N * 65536);
        CHECK(fsync(fd) == 0);
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        CHECK(pthread_create(&thread, NULL, submitter, NULL) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
        reap(context, N, events);
        for (int i = 0; i < N; i++) {
            long which = events[i].obj - iocbs;

            CHECK_INT((long)events[i].res, which == 7 ? 0 : 65536);
            if (which != 7)
                check_pattern_at(buffer + which * 65536, 65536, 0, which * 65536);
        }
        none_left(context);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
