// face: libaio
/* 10,000 O_DIRECT reads in flight, submitted before the first is reaped [A1] [A10]. */
#include "iocb.h"

#define N 10000

int main(void)
{
    static struct iocb iocbs[N], *list[N];
    static struct io_event events[N];
    static char seen[N];
    int fd = pattern_file(O_RDWR | O_DIRECT, 1 << 20, 0);
    char *buffer = aligned((size_t)N * 4096);
    io_context_t context = NULL;
    int ret = io_setup(N, &context), taken = 0;

    if (ret == -EAGAIN)
        SKIP("the system's limit on AIO contexts (aio-max-nr) is used up");
    CHECK_INT(ret, 0);
    for (int i = 0; i < N; i++) {
        list[i] = &iocbs[i];
        io_prep_pread(&iocbs[i], fd, buffer + (size_t)i * 4096, 4096, i % 256 * 4096);
    }
    while (taken < N) {
        ret = io_submit(context, N - taken < 1000 ? N - taken : 1000, list + taken);
        CHECK(ret > 0);
        taken += ret;
    }
    reap(context, N, events);
    for (int i = 0; i < N; i++) {
        long which = events[i].obj - iocbs;

        CHECK(!seen[which]);
        seen[which] = 1;
        CHECK_INT((long)events[i].res, 4096);
        check_pattern_at(buffer + which * 4096, 32, 0, which % 256 * 4096);
    }
    none_left(context);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
