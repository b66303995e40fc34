/* A thread that waits for its own requests closes their descriptor while they are in flight, or has another file take its number,
 * by dup2, dup3, close_range or open: each request goes on with the file that it was submitted for (io_submit(2) takes it). */
#include "prove.h"

#define N 16

static int other;

static void check_write(int fd, long block)
{
    static char *in;

    if (!in)
        in = aligned(BLOCK);
    EQ(pread(fd, in, BLOCK, block * BLOCK), BLOCK);
    for (int i = 0; i < BLOCK; i++)
        if (in[i] != 'w')
            FAIL("byte %d of block %ld of the file that was written: %d", i, block, in[i]);
}

int main(void)
{
    int file = direct_file(), written = scratch(O_RDWR | O_DIRECT, BLOCKS * BLOCK);
    io_context_t context = context_of(64);
    char *in = aligned(N * BLOCK), *out = aligned(BLOCK);

    other = scratch(O_RDWR | O_DIRECT, 0);
    memset(out, 'w', BLOCK);
    prove(context, file, 80, 4);
    for (int round = 0; round < 200; round++) {
        int fd = dup(file), to = dup(written);
        struct iocb iocbs[N], *list[N];
        struct io_event events[N];

        memset(in, 0, N * BLOCK);
        for (int i = 0; i < N; i++) {
            list[i] = &iocbs[i];
            if (i % 2)
                io_prep_pwrite(&iocbs[i], to, out, BLOCK, (round + i) % BLOCKS * BLOCK);
            else
                io_prep_pread(&iocbs[i], fd, in + i * BLOCK, BLOCK, i * BLOCK);
        }
        EQ(io_submit(context, N, list), N);
        switch (round % 5) {
        case 0:
            CHECK(close(fd) == 0 && close(to) == 0);
            EQ(fcntl(other, F_DUPFD, fd), fd);
            EQ(fcntl(other, F_DUPFD, to), to);
            break;
        case 1:
            EQ(dup2(other, fd), fd);
            EQ(dup2(other, to), to);
            break;
        case 2:
            EQ(dup3(other, fd, O_CLOEXEC), fd);
            EQ(dup3(other, to, O_CLOEXEC), to);
            break;
        case 3:
            EQ(syscall(SYS_close_range, fd, fd, 0), 0);
            EQ(syscall(SYS_close, to), 0);
            EQ(fcntl(other, F_DUPFD, fd), fd);
            EQ(fcntl(other, F_DUPFD, to), to);
            break;
        default:
            EQ(syscall(SYS_dup3, other, fd, O_CLOEXEC), fd);
            EQ(syscall(SYS_dup3, other, to, O_CLOEXEC), to);
        }
        reap(context, N, events);
        for (int i = 0; i < N; i++)
            EQ((long)events[i].res, BLOCK);
        for (int i = 0; i < N; i += 2)
            check_bytes(in + i * BLOCK, BLOCK, i * BLOCK);
        check_write(written, (round + 1) % BLOCKS);
        CHECK(close(fd) == 0 && close(to) == 0);
    }
    EQ(lseek(other, 0, SEEK_END), 0);
    return 0;
}
