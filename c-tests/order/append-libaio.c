// face: libaio
/* Writes through O_APPEND land in the order of io_submit's list, without gaps [A13] [A15] (the kernel does buffered
   appends inside io_submit). */
#include "iocb.h"

#define N 64

int main(void)
{
    int fd = temp_file(O_RDWR | O_APPEND);
    io_context_t context = make_context(N);
    struct iocb iocbs[N], *list[N];
    struct io_event events[N];
    static char buffers[N][1000], back[N][1000];

    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < N; i++) {
            memset(buffers[i], i + round, sizeof(buffers[i]));
            list[i] = &iocbs[i];
            io_prep_pwrite(&iocbs[i], fd, buffers[i], sizeof(buffers[i]), 0);
        }
        CHECK_INT(io_submit(context, N, list), N);
        reap(context, N, events);
        CHECK_INT(pread(fd, back, sizeof(back), round * (long)sizeof(back)), sizeof(back));
        CHECK(memcmp(back, buffers, sizeof(back)) == 0);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
