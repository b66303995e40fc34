/* The body of completions-falsified-posix.c and -libaio.c, which say what it does. */
#include "falsified.h"

#include "one-request.h"

#define N 4 /* requests at a time */
#define BLOCK 8192
#define FILE_BYTES (N * BLOCK)
#define TRIES 20 /* batches until the completion that is to be altered was met */

/* Submits N requests of a kind, one for each block of the file, and waits for their ends. */
static void do_batch(int kind, int fd, unsigned char *buffer, long long *results);

/* Kinds of requests, and the operation of io_uring's whose completions are falsified meanwhile. */
struct kind {
    int kind, operation;
    const char *name;
};

enum { A_READ, A_WRITE, A_READV, A_WRITEV, A_READ_WITH_EVENTFD };

static int failed;
static long survived;

/* What the program must be told: the whole block because a worker repeats the request, or the completion's own word. A write through
   the page cache that stopped short is repeated: io_uring was asked not to wait for it. */
static long long told(int result, int is_cached_write)
{
    if (is_cached_write && (result == SHORT || result == 0))
        return BLOCK;
    switch (-result) {
    case EAGAIN: case ECANCELED: case EINTR: case EACCES: case EPERM: case EOPNOTSUPP: case ENOMEM:
    case 512: case 513: case 514: case 515: case 516:
        return BLOCK;
    default:
        return result == SHORT ? BLOCK / 2 : result;
    }
}

/* Whether the operation is one that the library makes for itself: the program is told nothing of it. */
static int is_own(const struct kind *kind)
{
    return kind->operation == FUTEX_WAIT_ENTRY || kind->kind == A_READ_WITH_EVENTFD;
}

/* One batch with the `nth` completion falsified: as many requests are told so, all others their block; what is in the
   memory or in the file afterwards is right. How many were altered: a completion that one of io_uring's own threads wrote, and
   that was taken at once, is missed. */
static int check_batch(const struct kind *kind, int fd, int nth, int result)
{
    static unsigned char *buffer, *pattern;
    int altered, told_so = 0, is_write = kind->kind == A_WRITE || kind->kind == A_WRITEV;
    long long results[N], want = is_own(kind) ? BLOCK : told(result, is_write && !(fcntl(fd, F_GETFL) & O_DIRECT));
    static unsigned seed;

    if (!buffer) {
        buffer = new_pages(FILE_BYTES);
        pattern = new_pages(FILE_BYTES);
    }
    seed++;
    fill_pattern(pattern, FILE_BYTES, seed);
    if (is_write) {
        memcpy(buffer, pattern, FILE_BYTES);
    } else {
        memset(buffer, 0, FILE_BYTES);
        CHECK_INT(pwrite(fd, pattern, FILE_BYTES, 0), FILE_BYTES);
        MUST(fdatasync(fd));
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    }
    falsify(kind->operation, nth, result);
    do_batch(kind->kind, fd, buffer, results);
    altered = falsified();
    survived += altered;
    for (int i = 0; i < N; i++) {
        if (want != BLOCK && results[i] == want)
            told_so++;
        else if (results[i] != BLOCK) {
            SAY("%s, completion %d with %d: a request is told %lld", kind->name, nth, result, results[i]);
            failed = 1;
        }
    }
    if (want != BLOCK && told_so != altered) {
        SAY("%s, completion %d with %d: %d altered, %d told", kind->name, nth, result, altered, told_so);
        failed = 1;
    }
    if (is_write)
        CHECK_INT(pread(fd, buffer, FILE_BYTES, 0), FILE_BYTES);
    CHECK(memcmp(buffer, pattern, FILE_BYTES) == 0);
    return altered;
}

static const int results[] = { -EINTR, -EAGAIN, -ECANCELED, -EACCES, -EPERM, -EOPNOTSUPP, -ENOMEM, -512, -513, -514, -515,
                               -516, 0, SHORT, -EIO, -EINVAL, -ENOSPC, -EFAULT, -EBADF };

#define RESULTS (int)(sizeof results / sizeof results[0])

static void falsify_all(const struct kind *kinds, int count, int fd, const char *lane)
{
    for (int k = 0; k < count; k++) {
        long before = survived;

        STEP(kinds[k].name);
        for (int r = 0; r < RESULTS; r++)
            for (int nth = 0; nth <= N; nth++)
                for (int tries = 0; tries < TRIES; tries++)
                    if (check_batch(&kinds[k], fd, nth, results[r]) || !atomic_load(&falsification->has_ring))
                        break;
        if (getenv("TELL"))
            SAY("%s, %s: %ld falsified completions", lane, kinds[k].name, survived - before);
    }
}

/* Does `work` with the library as it is set, and once more where nothing is done in the calling thread. */
static int run_each(char **argv, void (*work)(void))
{
    int status;

    start_deadline();
    status = run_falsified(work);
    if (status || argv[1])
        return status;
    setenv("URINGAIO_INLINE", "never", 1);
    execl("/proc/self/exe", argv[0], "never", (char *)NULL);
    FAIL("/proc/self/exe: %s", strerror(errno));
}
