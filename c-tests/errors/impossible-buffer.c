/* A buffer at an address that no program can have, or of more bytes than addresses: the error is the one that read(2) or write(2)
   gives for the descriptor, also for no bytes [B4] (POSIX aio_read: the errors of read). */
// unsanitized: valgrind -- it passes memory that cannot be touched
#include "aiocb.h"
#include "memory.h"

static void compare(int fd, uintptr_t address, size_t size, int writes)
{
    struct aiocb cb = make_cb(fd, wild(address), size, 0);
    ssize_t want = writes ? syscall(SYS_pwrite64, fd, wild(address), size, (off_t)0) : syscall(SYS_pread64, fd, wild(address), size, (off_t)0);

    if (want == -1 && errno == ESPIPE)
        want = syscall(writes ? SYS_write : SYS_read, fd, wild(address), size);
    int error = want == -1 ? errno : 0;
    CHECK_INT(writes ? aio_write(&cb) : aio_read(&cb), 0);
    AWAIT_CB(&cb);
    if (aio_error(&cb) != error || aio_return(&cb) != want)
        FAIL("%s %d at %#lx, %#zx bytes: %d, %zd, not %d, %zd", writes ? "write of" : "read of", fd, address, size, aio_error(&cb),
             aio_return(&cb), error, want);
}

int main(void)
{
    static const uintptr_t addresses[] = { (uintptr_t)1 << 63, 0xffff800000000000, UINTPTR_MAX, 0x7fffffffe000 };
    static const size_t sizes[] = { 0, 1, 100000, SSIZE_MAX };
    int ends[2], sockets[2];

    make_pipe(ends);
    make_stream_pair(sockets);
    int fds[] = { pattern_file(O_RDWR, 100, 1), pattern_file(O_RDONLY, 100, 1), pattern_file(O_WRONLY, 100, 1),
                  pattern_file(O_RDWR | O_APPEND, 100, 1), MUST(open("/dev/zero", O_RDWR)), MUST(open(".", O_RDONLY)), ends[1],
                  sockets[0], MUST(socket(AF_INET, SOCK_DGRAM, 0)) };

    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        for (int a = 0; a < 4; a++)
            for (int s = 0; s < 4; s++) {
                compare(fds[i], addresses[a], sizes[s], 1);
                /* A read that the kernel does not refuse would wait. */
                if (fds[i] != sockets[0] && fds[i] != fds[8])
                    compare(fds[i], addresses[a], sizes[s], 0);
            }
    return 0;
}
