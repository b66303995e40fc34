/* A write that lengthens its file, and its descriptor closed right after the call, its number given to another file: it is written
   in full, to its own file [B12]. io_uring cannot do it without waiting, and a worker needs the descriptor. With O_DIRECT and, where
   the library does nothing in the calling thread (URINGAIO_INLINE=never), through the page cache. */
// columns: oracle preload threads -- what differs is who carries it
// unsanitized: valgrind -- it starts itself again by /proc/self/exe, which is Valgrind there
#include "aiocb.h"
#include "behaviour.h"

#define ROUNDS 100
#define SIZE 4096

static void write_and_close(int flags)
{
    unsigned char *buffer = new_pages(SIZE), *in = new_pages(SIZE);

    for (int round = 0; round < ROUNDS; round++) {
        int fd = scratch_file("new", O_RDWR | flags, 0, 1), keep, other;
        struct aiocb cb = make_cb(fd, buffer, SIZE, 0);

        keep = MUST(open(test_path("new"), O_RDWR));
        fill_pattern(buffer, SIZE, round);
        CHECK_INT(aio_write(&cb), 0);
        close(fd);
        other = temp_file(O_RDWR);
        CHECK_DONE(&cb, SIZE);
        CHECK_INT(lseek(other, 0, SEEK_END), 0);
        CHECK_INT(pread(keep, in, SIZE, 0), SIZE);
        CHECK(memcmp(in, buffer, SIZE) == 0);
        close(other);
        close(keep);
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    start_deadline();
    write_and_close(getenv("URINGAIO_INLINE") ? 0 : O_DIRECT);
    if (!getenv("URINGAIO_INLINE")) {
        MUST(setenv("URINGAIO_INLINE", "never", 1));
        execv("/proc/self/exe", argv);
        FAIL("exec: %s", strerror(errno));
    }
    return 0;
}
