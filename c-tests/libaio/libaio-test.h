/* What the libaio programs share: checks, scratch files, the ring's layout, reaping with a deadline.
 * Exit status: 0 passed, 1 failed, 77 skipped. */
#ifndef LIBAIO_TEST_H
#define LIBAIO_TEST_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libaio.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))
#define PATIENCE 60 /* seconds that nothing may outlast, however slow the machine */
#define RESFD 1u    /* IOCB_FLAG_RESFD */
#define IOPRIO 2u   /* IOCB_FLAG_IOPRIO */

UNUSED __attribute__((noreturn, format(printf, 4, 5)))
static void say_and_exit(int status, const char *file, int line, const char *format, ...)
{
    va_list list;

    fprintf(stderr, "%s:%d: ", file, line);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    fflush(stderr);
    _exit(status);
}

#define FAIL(...) say_and_exit(1, __FILE__, __LINE__, __VA_ARGS__)
#define SKIP(...) say_and_exit(77, __FILE__, __LINE__, __VA_ARGS__)
#define CHECK(condition) \
    do { \
        if (!(condition)) \
            FAIL("not so: %s (errno %d)", #condition, errno); \
    } while (0)
/* The value of `call` must be `want`; both are shown when it is not. */
#define EQ(call, want) \
    do { \
        long long eq_seen = (long long)(call), eq_want = (long long)(want); \
        if (eq_seen != eq_want) \
            FAIL("%s: %lld, expected %lld (%s)", #call, eq_seen, eq_want, #want); \
    } while (0)
/* Wait, with patience, until `condition` holds. */
#define WAIT_FOR(condition) \
    do { \
        double wait_end = seconds() + PATIENCE; \
        while (!(condition)) { \
            if (seconds() > wait_end) \
                FAIL("never came true: %s", #condition); \
            usleep(200); \
        } \
    } while (0)

UNUSED static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

/* The completion ring in memory as Linux's fs/aio.c lays it out (struct aio_ring). */
struct ring {
    unsigned id;
    unsigned nr;
    _Atomic unsigned head;
    _Atomic unsigned tail;
    unsigned magic;
    unsigned compat_features;
    unsigned incompat_features;
    unsigned header_length;
    struct io_event events[];
};

UNUSED static struct ring *ring_of(io_context_t context)
{
    return (struct ring *)context;
}

UNUSED static unsigned ring_ready(io_context_t context)
{
    struct ring *ring = ring_of(context);
    unsigned head = atomic_load(&ring->head), tail = atomic_load(&ring->tail);

    return (tail + ring->nr - head) % ring->nr;
}

/* Take one event out of the ring as QEMU and fio do, without a call; 0 when it is empty. */
UNUSED static int ring_take(io_context_t context, struct io_event *event)
{
    struct ring *ring = ring_of(context);
    unsigned head = atomic_load_explicit(&ring->head, memory_order_relaxed);

    if (head == atomic_load_explicit(&ring->tail, memory_order_acquire))
        return 0;
    *event = ring->events[head];
    atomic_store_explicit(&ring->head, (head + 1) % ring->nr, memory_order_release);
    return 1;
}

UNUSED static io_context_t context_of(int nr_events)
{
    io_context_t context = NULL;
    int ret = io_setup(nr_events, &context);

    if (ret != 0)
        FAIL("io_setup(%d): %d", nr_events, ret);
    return context;
}

UNUSED static void submit_one(io_context_t context, struct iocb *iocb)
{
    int ret = io_submit(context, 1, &iocb);

    if (ret != 1)
        FAIL("io_submit of one iocb (opcode %d, fd %d): %d", iocb->aio_lio_opcode, iocb->aio_fildes, ret);
}

/* Reap exactly n events, or fail when they do not come. */
UNUSED static void reap(io_context_t context, long n, struct io_event *events)
{
    double end = seconds() + PATIENCE;
    long have = 0;

    while (have < n) {
        struct timespec wait = {5, 0};
        int ret = io_getevents(context, 1, n - have, events + have, &wait);

        if (ret < 0 && ret != -EINTR)
            FAIL("io_getevents: %d", ret);
        if (ret > 0)
            have += ret;
        if (have < n && seconds() > end)
            FAIL("%ld of %ld events came", have, n);
    }
}

/* The result of one request, whether io_submit refuses it or its event tells. */
UNUSED static long long outcome(io_context_t context, struct iocb *iocb)
{
    struct io_event event;
    int ret = io_submit(context, 1, &iocb);

    if (ret != 1) {
        CHECK(ret < 0);
        return ret;
    }
    reap(context, 1, &event);
    CHECK(event.obj == iocb);
    return (long)event.res;
}

/* No event is there now. */
UNUSED static void none_left(io_context_t context)
{
    struct timespec now = {0, 0};
    struct io_event event;

    EQ(io_getevents(context, 0, 1, &event, &now), 0);
}

/* Memory aligned for O_DIRECT, zeroed. */
UNUSED static void *aligned(size_t size)
{
    void *memory = NULL;

    if (posix_memalign(&memory, 4096, size) != 0)
        FAIL("out of memory");
    memset(memory, 0, size);
    return memory;
}

/* An address that the compiler draws no conclusions from. */
UNUSED static void *wild(uintptr_t address)
{
    volatile uintptr_t hidden = address;

    return (void *)hidden;
}

/* A page that cannot be touched. */
UNUSED static void *no_access(void)
{
    void *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(page != MAP_FAILED);
    return page;
}

/* A page of zeroes that cannot be written. */
UNUSED static void *read_only(void)
{
    void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(page != MAP_FAILED);
    return page;
}

/* The byte that scratch files hold at `offset`. */
UNUSED static unsigned char byte_at(long long offset)
{
    return (unsigned char)((offset * 2654435761u >> 13) ^ (offset >> 12) ^ offset);
}

UNUSED static void fill(void *memory, size_t size, long long offset)
{
    for (size_t i = 0; i < size; i++)
        ((unsigned char *)memory)[i] = byte_at(offset + (long long)i);
}

UNUSED static void check_bytes(const void *memory, size_t size, long long offset)
{
    for (size_t i = 0; i < size; i++)
        if (((const unsigned char *)memory)[i] != byte_at(offset + (long long)i))
            FAIL("byte %lld of the file is wrong", offset + (long long)i);
}

/* A second descriptor, with flags of its own, on the file behind fd. Skips when O_DIRECT is refused. */
UNUSED static int reopen(int fd, int flags)
{
    char path[64];
    int again;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    again = open(path, flags | O_CLOEXEC);
    if (again < 0 && (flags & O_DIRECT) && errno == EINVAL)
        SKIP("this file system has no O_DIRECT");
    CHECK(again >= 0);
    return again;
}

/* A scratch file without a name, `size` bytes of byte_at() on the disk, opened with `flags`. */
UNUSED static int scratch(int flags, size_t size)
{
    const char *directory = getenv("TEST_DIR");
    char path[PATH_MAX];
    unsigned char block[65536];
    int fd, again;

    if (!directory)
        directory = getenv("TMPDIR");
    snprintf(path, sizeof(path), "%s/uringaio-test-XXXXXX", directory ? directory : "/tmp");
    fd = mkstemp(path);
    CHECK(fd >= 0);
    unlink(path);
    for (size_t done = 0; done < size;) {
        size_t part = size - done < sizeof(block) ? size - done : sizeof(block);

        fill(block, part, (long long)done);
        EQ(pwrite(fd, block, part, (off_t)done), part);
        done += part;
    }
    if (size && (flags & O_DIRECT))
        CHECK(fsync(fd) == 0);
    again = reopen(fd, flags);
    close(fd);
    return again;
}

/* 'R' running, 'S' asleep, … as /proc tells of one thread of this process; '?' when it is gone. */
UNUSED static char thread_state(pid_t tid)
{
    char path[64], text[512], *end;
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return '?';
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (n <= 0)
        return '?';
    text[n] = 0;
    end = strrchr(text, ')');
    return end && end[1] ? end[2] : '?';
}

/* How many names a directory holds, with the two of every directory. */
UNUSED static int entries(const char *path)
{
    DIR *directory = opendir(path);
    int count = 0;

    CHECK(directory != NULL);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* Is the mapping at this address a ring of the kernel's own AIO? */
UNUSED static int kernels_ring(const void *address)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    unsigned long from, to;
    char line[PATH_MAX];
    int found = 0;

    CHECK(maps != NULL);
    while (fgets(line, sizeof(line), maps))
        if (sscanf(line, "%lx-%lx", &from, &to) == 2 && from <= (uintptr_t)address && (uintptr_t)address < to)
            found = strstr(line, "[aio]") != NULL;
    fclose(maps);
    return found;
}

/* What this program runs on. Where io_uring is not to be had, or an engine is named, uringaio may do either. */
enum { SYSTEM, URINGAIO, UNDECIDED };

UNUSED static int runs_on(void)
{
    const char *preload = getenv("LD_PRELOAD"), *path = getenv("LD_LIBRARY_PATH");

    if (!(preload && strstr(preload, "liburingaio")) && !(path && strstr(path, "target/libaio")))
        return SYSTEM;
    if (getenv("URINGAIO_ENGINE") || (syscall(SYS_io_uring_setup, 0L, NULL) < 0 && (errno == EPERM || errno == ENOSYS)))
        return UNDECIDED;
    return URINGAIO;
}

/* The status of a child that must have exited. */
UNUSED static int exit_status(pid_t child)
{
    int status = 0;

    CHECK(child > 0);
    while (waitpid(child, &status, 0) < 0)
        CHECK(errno == EINTR);
    if (!WIFEXITED(status))
        FAIL("child died of signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

#endif
