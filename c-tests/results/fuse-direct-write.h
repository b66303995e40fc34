/* The body of fuse-direct-write-posix.c and fuse-direct-write-libaio.c, which say what it does. */
#include "one-request.h"

#include "fuse-direct.h"

#define SPACE 65536

/* The same by pwrite and by AIO: the same count, the same requests to the server, the same bytes in the file. */
static void check_write(int fd, size_t size, off_t offset, int take)
{
    static unsigned char written[SPACE];
    unsigned char *buffer = new_pages(size);
    int start, requests;
    long long plain;

    fill_pattern(buffer, size, SEED);
    atomic_store(&fuse->take, take);
    memset(fuse->bytes, 0, SPACE);
    start = atomic_load(&fuse->writes);
    plain = one_plain(ONE_WRITE, fd, buffer, size, offset);
    CHECK(plain >= (take ? take : (long long)size));
    CHECK(is_pattern(fuse->bytes + offset, plain, SEED));
    requests = atomic_load(&fuse->writes) - start;
    memcpy(written, fuse->bytes, SPACE);

    memset(fuse->bytes, 0, SPACE);
    start = atomic_load(&fuse->writes);
    CHECK_INT(one_request(ONE_WRITE, fd, buffer, size, offset), plain);
    CHECK_INT(atomic_load(&fuse->writes) - start, requests);
    CHECK_INT(fuse->write_records[start].offset, offset);
    CHECK(memcmp(fuse->bytes, written, SPACE) == 0);
    munmap(buffer, size);
}

static void run(int async_direct)
{
    static const struct {
        int open_flags, flags;
        const char *name;
    } ways[] = { { FOPEN_DIRECT_IO, 0, "a" }, { FOPEN_DIRECT_IO, O_DIRECT, "b" }, { 0, O_DIRECT, "c" } };

    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        int fd;

        atomic_store(&fuse->open_flags, ways[i].open_flags);
        fd = fuse_open(ways[i].name, O_RDWR | ways[i].flags);
        check_write(fd, 4096, 0, 0);
        check_write(fd, 4096, 8192, 0);
        if (async_direct) {
            /* Linux itself makes EIO of a part that such a server takes. */
            close(fd);
            continue;
        }
        check_write(fd, 4096, 0, 512);
        check_write(fd, 4096, 4096, 512);
        check_write(fd, 16384, 4096, 1024);
        close(fd);
    }
}

int main(void)
{
    return run_with_each_server(run);
}
