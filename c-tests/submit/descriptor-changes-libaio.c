// face: libaio
/* A descriptor is closed, or its number given to another file by dup2, dup3, close_range or open, while O_DIRECT requests
   are in flight: each request goes on with the file that it was submitted for [A5]. */
#include "iocb.h"
#include "direct.h"

#define N 16

static int other;

static void check_write(int fd, long block)
{
    static char *in;

    if (!in)
        in = aligned(BLOCK);
    CHECK_INT(pread(fd, in, BLOCK, block * BLOCK), BLOCK);
    for (int i = 0; i < BLOCK; i++)
        if (in[i] != 'w')
            FAIL("byte %d of block %ld of the file that was written: %d", i, block, in[i]);
}

int main(void)
{
    int file = direct_file(), written = pattern_file(O_RDWR | O_DIRECT, BLOCKS * BLOCK, 0);
    io_context_t context = make_context(64);
    char *in = aligned(N * BLOCK), *out = aligned(BLOCK);

    other = temp_file(O_RDWR | O_DIRECT);
    memset(out, 'w', BLOCK);
    read_blocks(context, file, 80, 4);
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
        CHECK_INT(io_submit(context, N, list), N);
        switch (round % 5) {
        case 0:
            CHECK(close(fd) == 0 && close(to) == 0);
            CHECK_INT(fcntl(other, F_DUPFD, fd), fd);
            CHECK_INT(fcntl(other, F_DUPFD, to), to);
            break;
        case 1:
            CHECK_INT(dup2(other, fd), fd);
            CHECK_INT(dup2(other, to), to);
            break;
        case 2:
            CHECK_INT(dup3(other, fd, O_CLOEXEC), fd);
            CHECK_INT(dup3(other, to, O_CLOEXEC), to);
            break;
        case 3:
            CHECK_INT(syscall(SYS_close_range, fd, fd, 0), 0);
            CHECK_INT(syscall(SYS_close, to), 0);
            CHECK_INT(fcntl(other, F_DUPFD, fd), fd);
            CHECK_INT(fcntl(other, F_DUPFD, to), to);
            break;
        default:
            CHECK_INT(syscall(SYS_dup3, other, fd, O_CLOEXEC), fd);
            CHECK_INT(syscall(SYS_dup3, other, to, O_CLOEXEC), to);
        }
        reap(context, N, events);
        for (int i = 0; i < N; i++)
            CHECK_INT((long)events[i].res, BLOCK);
        for (int i = 0; i < N; i += 2)
            check_pattern_at(in + i * BLOCK, BLOCK, 0, i * BLOCK);
        check_write(written, (round + 1) % BLOCKS);
        CHECK(close(fd) == 0 && close(to) == 0);
    }
    CHECK_INT(lseek(other, 0, SEEK_END), 0);
    return 0;
}
