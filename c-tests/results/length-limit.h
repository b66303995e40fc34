/* The body of length-limit-posix.c and length-limit-libaio.c, which say what it does. */
#include "one-request.h"

/* MAX_RW_COUNT of linux/fs.h: whole pages. */
#define LIMIT (INT_MAX & ~(sysconf(_SC_PAGESIZE) - 1LL))
#define LONG ((4LL << 30) + 4096)

/* Addresses for `LONG` bytes, with one megabyte of memory behind all of them. */
static void *long_buffer(void)
{
    int memory = MUST(memfd_create("one", MFD_CLOEXEC));
    unsigned char *all = mmap(NULL, LONG, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    CHECK(all != MAP_FAILED);
    MUST(ftruncate(memory, 1 << 20));
    for (long long at = 0; at < LONG; at += 1 << 20) {
        size_t size = LONG - at < 1 << 20 ? LONG - at : 1 << 20;

        CHECK(mmap(all + at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, memory, 0) == all + at);
    }
    close(memory);
    return all;
}

int main(void)
{
    void *buffer;
    int null, zero, sparse;

    start_deadline();
    buffer = long_buffer();
    null = MUST(open("/dev/null", O_RDWR | O_CLOEXEC));
    zero = MUST(open("/dev/zero", O_RDWR | O_CLOEXEC));
    sparse = MUST(memfd_create("sparse", MFD_CLOEXEC));
    MUST(ftruncate(sparse, LONG));
    STEP("a write to /dev/null");
    CHECK_INT(one_request(ONE_WRITE, null, buffer, LONG, 0), LIMIT);
    STEP("a write to /dev/zero");
    CHECK_INT(one_request(ONE_WRITE, zero, buffer, LONG, 0), LIMIT);
    STEP("a read from /dev/zero");
    CHECK_INT(one_request(ONE_READ, zero, buffer, LONG, 0), LIMIT);
    STEP("a read from a file");
    CHECK_INT(one_request(ONE_READ, sparse, buffer, LONG, 0), LIMIT);
    return 0;
}
