/* Files, pipes and patterned data for the tests. Files lie in TEST_DIR, which the runner puts on a file system that
   supports O_DIRECT; by hand, in the current directory. */
#ifndef FILES_H
#define FILES_H

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "check.h"

/* The path of `name` in the test's own directory. It stays allocated. */
static inline char *test_path(const char *name)
{
    const char *dir = getenv("TEST_DIR");
    char *path = NULL;

    if (asprintf(&path, "%s/%s", dir ? dir : ".", name) == -1)
        FAIL("no memory");
    return path;
}

/* Another descriptor, with `flags` of its own, of the file behind `fd`. Skips where the file system has no O_DIRECT. */
static inline int reopen(int fd, int flags)
{
    char path[64];
    int again;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    again = open(path, flags | O_CLOEXEC);
    if (again == -1 && (flags & O_DIRECT) && errno == EINVAL)
        SKIP("this file system has no O_DIRECT");
    return MUST(again);
}

/* A new, empty file without a name, opened with `flags` (O_RDWR and more). */
static inline int temp_file(int flags)
{
    char path[PATH_MAX];
    int fd, again;

    if ((flags & O_ACCMODE) == O_RDONLY)
        FAIL("temp_file: an empty file that cannot be written: name the access mode");
    snprintf(path, sizeof path, "%s", test_path("file-XXXXXX"));
    fd = MUST(mkostemp(path, O_CLOEXEC));
    again = MUST(open(path, flags | O_CLOEXEC));
    unlink(path);
    close(fd);
    return again;
}

/* Byte `i` of the pattern that `seed` names. */
static inline unsigned char pattern_byte(unsigned seed, uint64_t i)
{
    uint32_t x = (uint32_t)(i ^ i >> 32) * 2654435761u + seed * 40503u + 12345u;

    x ^= x >> 15;
    x *= 2246822519u;
    return (unsigned char)(x >> 13);
}

/* The bytes of the pattern from `offset` on. */
static inline void fill_pattern_at(void *buffer, size_t size, unsigned seed, uint64_t offset)
{
    for (size_t i = 0; i < size; i++)
        ((unsigned char *)buffer)[i] = pattern_byte(seed, offset + i);
}

static inline void fill_pattern(void *buffer, size_t size, unsigned seed)
{
    fill_pattern_at(buffer, size, seed, 0);
}

static inline void check_pattern_at(const void *buffer, size_t size, unsigned seed, uint64_t offset)
{
    for (size_t i = 0; i < size; i++)
        if (((const unsigned char *)buffer)[i] != pattern_byte(seed, offset + i))
            FAIL("byte %llu of the file is wrong", (unsigned long long)(offset + i));
}

static inline int is_pattern(const void *buffer, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        if (((const unsigned char *)buffer)[i] != pattern_byte(seed, i))
            return 0;
    return 1;
}

/* A new file that holds `size` bytes of the pattern, opened with `flags` (O_RDWR and more). */
static inline int pattern_file(int flags, size_t size, unsigned seed)
{
    int fd = temp_file(O_RDWR), again;
    char *bytes = malloc(size + 1);

    fill_pattern(bytes, size, seed);
    CHECK_INT(pwrite(fd, bytes, size, 0), (long long)size);
    free(bytes);
    if (flags == O_RDWR)
        return fd;
    if (flags & O_DIRECT)
        MUST(fsync(fd));
    again = reopen(fd, flags);
    close(fd);
    return again;
}

static inline int is_all(const void *buffer, size_t size, unsigned char byte)
{
    for (size_t i = 0; i < size; i++)
        if (((const unsigned char *)buffer)[i] != byte)
            return 0;
    return 1;
}

/* Reads exactly `size` bytes from a blocking descriptor. */
static inline void read_whole(int fd, void *buffer, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = read(fd, (char *)buffer + done, size - done);

        if (n == -1 && errno == EINTR)
            continue;
        CHECK(n > 0);
        done += n;
    }
}

/* A pipe that takes 64 KiB, as by default where pages have 4 KiB: it takes 16 pages otherwise. */
static inline void make_pipe(int ends[2])
{
    MUST(pipe2(ends, O_CLOEXEC));
    MUST(fcntl(ends[1], F_SETPIPE_SZ, 65536));
}

static inline void make_stream_pair(int ends[2])
{
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
}

/* Fills a pipe or socket until a write would block; returns how many bytes went in. The flags of `fd` stay. */
static inline size_t fill_up(int fd)
{
    int flags = MUST(fcntl(fd, F_GETFL));
    size_t total = 0;
    char bytes[4096];
    size_t piece = sizeof bytes;

    memset(bytes, 'f', sizeof bytes);
    MUST(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
    while (piece > 0) {
        ssize_t n = write(fd, bytes, piece);

        if (n > 0)
            total += n;
        else
            piece /= 2;
    }
    MUST(fcntl(fd, F_SETFL, flags));
    return total;
}

#endif
