/* The body of dontcache-setting-posix.c and dontcache-setting-libaio.c, which say what it does. */
#include "one-request.h"
#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE 0x80
#endif
#define SIZE (1 << 20)
#define CHUNK (1 << 16)
#define ROUNDS (SIZE / CHUNK)

static unsigned char *bytes;

/* Pages of the file that are in the page cache. */
static int cached(int fd)
{
    static unsigned char present[SIZE / 4096];
    void *map = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
    int count = 0;

    CHECK(map != MAP_FAILED);
    MUST(mincore(map, SIZE, present));
    for (size_t i = 0; i < sizeof present; i++)
        count += present[i] & 1;
    MUST(munmap(map, SIZE));
    return count;
}

static int is_empty(int fd)
{
    return cached(fd) == 0;
}

static void transfer(int fd, int writes)
{
    for (int i = 0; i < ROUNDS; i++)
        CHECK_INT(one_request(writes ? ONE_WRITE : ONE_READ, fd, bytes + i * CHUNK, CHUNK, i * CHUNK), CHUNK);
}

static void check_bytes(unsigned seed)
{
    unsigned char *wanted = malloc(SIZE);

    CHECK(wanted != NULL);
    fill_pattern(wanted, SIZE, seed);
    CHECK_INT(memcmp(bytes, wanted, SIZE), 0);
    free(wanted);
}

static int takes_it(int fd)
{
    struct iovec vector = { bytes, 1 };

    return preadv2(fd, &vector, 1, SIZE, RWF_DONTCACHE) != -1 || errno != EOPNOTSUPP;
}

/* A number that names a file of another file system by now, which the C library did by itself. */
static void number_reused(int other)
{
    char path[64];
    FILE *stream = fopen(test_path("a"), "r+");
    int fd;

    CHECK(stream != NULL);
    fd = fileno(stream);
    transfer(fd, 0);
    for (int writes = 0; writes < 2; writes++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", other);
        CHECK(freopen(path, "r+", stream) != NULL);
        CHECK_INT(fileno(stream), fd);
        transfer(fd, writes);
        CHECK(freopen(test_path("a"), "r+", stream) != NULL);
        transfer(fd, 0);
    }
    fclose(stream);
}

int main(int argc, char **argv)
{
    int fd, plain;

    if (!getenv("URINGAIO_DONTCACHE")) {
        CHECK_INT(argc, 1);
        CHECK(setenv("URINGAIO_DONTCACHE", "1", 1) == 0);
        execv("/proc/self/exe", argv);
        FAIL("exec: %s", strerror(errno));
    }
    start_deadline();
    bytes = malloc(SIZE);
    CHECK(bytes != NULL);
    plain = MUST(memfd_create("plain", MFD_CLOEXEC));
    fill_pattern(bytes, SIZE, 3);
    transfer(plain, 1);
    memset(bytes, 0, SIZE);
    transfer(plain, 0);
    check_bytes(3);

    fd = scratch_file("a", O_RDWR, SIZE, 1);
    if (!takes_it(fd))
        SKIP("no RWF_DONTCACHE here: Linux 6.14 and some file systems have it");
    MUST(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
    CHECK_INT(cached(fd), 0);
    transfer(fd, 0);
    check_bytes(1);
    WAIT_UNTIL(is_empty(fd));

    fill_pattern(bytes, SIZE, 2);
    transfer(fd, 1);
    MUST(fsync(fd));
    MUST(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
    memset(bytes, 0, SIZE);
    transfer(fd, 0);
    check_bytes(2);
    WAIT_UNTIL(is_empty(fd));

    /* What others have read stays. */
    CHECK_INT(pread(fd, bytes, SIZE, 0), SIZE);
    CHECK_INT(cached(fd), SIZE / 4096);
    transfer(fd, 0);
    CHECK_INT(cached(fd), SIZE / 4096);
    number_reused(plain);
    return 0;
}
