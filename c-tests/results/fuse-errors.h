/* The body of fuse-errors-posix.c and fuse-errors-libaio.c, which say what it does. */
#include "one-request.h"

#include "fuse-server.h"

#define FEW 8 /* requests to the server for one of the program at most */

static void check_error(enum one_kind kind, int fd, atomic_int *error, atomic_int *count, int value)
{
    unsigned char *buffer = new_pages(4096);
    long long plain, got;
    int before;

    atomic_store(error, value);
    atomic_store(&fuse->errors_left, -1);
    plain = one_plain(kind, fd, buffer, 4096, 0);
    CHECK_INT(plain, -value);
    before = atomic_load(count);
    got = one_request(kind, fd, buffer, 4096, 0);
    CHECK_INT(got, -value);
    if (atomic_load(count) - before > FEW)
        FAIL("%d requests to the server for one of the program", atomic_load(count) - before);
    atomic_store(error, 0);
    got = one_request(kind, fd, buffer, 4096, 0);
    CHECK_INT(got, kind == ONE_FSYNC ? 0 : 4096);
    munmap(buffer, 4096);
}

int main(void)
{
    static const struct {
        int open_flags, flags;
        const char *name;
    } ways[] = { { 0, 0, "a" }, { FOPEN_DIRECT_IO, 0, "b" }, { 0, O_DIRECT, "c" } };
    static const int errors[] = ERRORS;

    start_deadline();
    fuse_start(65536, 1);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        int fd;

        atomic_store(&fuse->open_flags, ways[i].open_flags);
        fd = fuse_open(ways[i].name, O_RDWR | ways[i].flags);
        for (size_t e = 0; e < sizeof errors / sizeof errors[0]; e++) {
            STEP("a read that the server answers with an error");
            check_error(ONE_READ, fd, &fuse->read_error, &fuse->reads, errors[e]);
            STEP("a write that the server answers with an error");
            if (ways[i].open_flags || ways[i].flags)
                check_error(ONE_WRITE, fd, &fuse->write_error, &fuse->writes, errors[e]);
            STEP("an fsync that the server answers with an error");
            check_error(ONE_FSYNC, fd, &fuse->fsync_error, &fuse->fsyncs, errors[e]);
            /* So that the next read of the cache asks the server. */
            posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        }
        close(fd);
    }
    return 0;
}
