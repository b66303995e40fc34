/* The body of fuse-direct-read-posix.c and fuse-direct-read-libaio.c, which say what it does. */
#include "one-request.h"

#include "fuse-direct.h"

/* Reads `size` bytes at `offset`: `want` bytes, in one request to the server. */
static void check_read(int fd, size_t size, off_t offset, long long want)
{
    unsigned char *plain = new_pages(16384), *buffer = new_pages(16384);
    int before;

    CHECK_INT(one_plain(ONE_READ, fd, plain, size, offset), want);
    before = atomic_load(&fuse->reads);
    CHECK_INT(one_request(ONE_READ, fd, buffer, size, offset), want);
    CHECK_INT(atomic_load(&fuse->reads) - before, 1);
    CHECK_INT(fuse->read_records[before].offset, offset);
    CHECK(memcmp(buffer, plain, want) == 0);
    CHECK(is_all(buffer + want, 16384 - want, 0));
}

/* Files opened by the server with `open_flags` and by this program with `flags`. */
static void check_files(int open_flags, int flags, const char *names)
{
    char name[2] = { 0 };
    int fd;

    atomic_store(&fuse->open_flags, open_flags);
    STEP("4096 bytes at 100 bytes before the end");
    atomic_store(&fuse->size, 65536);
    name[0] = names[0];
    fd = fuse_open(name, O_RDWR | flags);
    check_read(fd, 4096, 65536 - 512, 512);
    if (!(flags & O_DIRECT))
        check_read(fd, 4096, 65536 - 100, 100);
    STEP("a server that gives 512 bytes at a time");
    atomic_store(&fuse->give, 512);
    check_read(fd, 4096, 8192, 512);
    atomic_store(&fuse->give, 0);
    close(fd);
    STEP("a file of 100 bytes");
    atomic_store(&fuse->size, 100);
    name[0] = names[1];
    fd = fuse_open(name, O_RDWR | flags);
    check_read(fd, 4096, 0, 100);
    close(fd);
    STEP("a file of 5000 bytes");
    atomic_store(&fuse->size, 5000);
    name[0] = names[2];
    fd = fuse_open(name, O_RDWR | flags);
    check_read(fd, 16384, 0, 5000);
    close(fd);
}

static void run(int async_direct)
{
    (void)async_direct;
    check_files(FOPEN_DIRECT_IO, 0, "abc");
    check_files(FOPEN_DIRECT_IO, O_DIRECT, "def");
    check_files(0, O_DIRECT, "ghi");
}

int main(void)
{
    return run_with_each_server(run);
}
