// face: libaio
/* The buffers of O_DIRECT requests are unmapped or moved while the requests are in flight, and something else is mapped
   there: the reads are whole, and nothing gets into the new mapping [A5] [F6] (fs/direct-io.c and fs/iomap/direct-io.c hold
   the pages). */
#include "iocb.h"
#include "direct.h"

#define SIZE (1 << 20)
#define N 4

int main(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, SIZE, 0);
    io_context_t context = make_context(64);

    read_blocks(context, fd, 80, 4);
    for (int round = 0; round < 60; round++) {
        int protection = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
        char *in = mmap(NULL, N * SIZE, protection, flags, -1, 0), *moved = NULL, *other;
        struct iocb iocbs[N], *list[N];
        struct io_event events[N];

        CHECK(in != MAP_FAILED);
        for (int i = 0; i < N; i++) {
            list[i] = &iocbs[i];
            io_prep_pread(&iocbs[i], fd, in + i * SIZE, SIZE, 0);
        }
        CHECK_INT(io_submit(context, N, list), N);
        if (round % 3 == 0) {
            CHECK(munmap(in, N * SIZE) == 0);
        } else if (round % 3 == 1) {
            CHECK(syscall(SYS_munmap, in, N * SIZE) == 0);
        } else {
            moved = mremap(in, N * SIZE, N * SIZE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
            CHECK(moved != MAP_FAILED);
        }
        other = mmap(in, N * SIZE, protection, flags | MAP_FIXED, -1, 0);
        CHECK(other == in);
        reap(context, N, events);
        for (int i = 0; i < N; i++)
            CHECK_INT((long)events[i].res, SIZE);
        for (int i = 0; i < N * SIZE; i += 512)
            CHECK_INT(other[i], 0);
        for (int i = 0; moved && i < N; i++)
            check_pattern_at(moved + i * SIZE, SIZE, 0, 0);
        if (moved)
            CHECK(munmap(moved, N * SIZE) == 0);
        CHECK(munmap(other, N * SIZE) == 0);
        read_blocks(context, fd, 10, 4);
    }
    return 0;
}
