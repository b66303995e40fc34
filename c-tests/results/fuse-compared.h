/* The body of fuse-compared-posix.c and fuse-compared-libaio.c, which say what it does. */
#include "one-request.h"

#include "fuse-server.h"

#define SPACE 65536
#define ROUNDS 300

/* As one_request, of the parts of a vector. */
static long long one_vector(int writes, int fd, struct iovec *parts, int count, off_t offset);

static unsigned state = 20;

static unsigned below(unsigned limit)
{
    state = state * 1103515245 + 12345;
    return (state >> 8) % limit;
}

#define ONE_OF(list) (list)[below(sizeof(list) / sizeof(list)[0])]

/* How a file is opened: by the server, and by the program. */
static const struct way {
    int open_flags, flags;
} ways[] = { { FOPEN_DIRECT_IO, 0 },        { FOPEN_DIRECT_IO, O_DIRECT }, { 0, O_DIRECT }, { 0, 0 },
             { FOPEN_DIRECT_IO, O_APPEND }, { FOPEN_DIRECT_IO, O_SYNC } };

struct request {
    struct way way;
    int writes, is_vector, most, file_bytes;
    size_t size;
    off_t offset;
};

static struct request random_request(int async_direct)
{
    static const int sizes[] = { 0, 1, 100, 511, 512, 1500, 4096, 4097, 5000, 8192, 10000, 16384 };
    static const int mosts[] = { 0, 0, 1, 100, 512, 1000, 1024, 4096, 5000 };
    static const int files[] = { SPACE, SPACE, SPACE, 5000, 1500, 100, 0 };
    struct request r = { .way = ONE_OF(ways), .writes = below(2), .is_vector = below(2), .size = ONE_OF(sizes) };

    r.file_bytes = ONE_OF(files);
    r.offset = below(2) ? below(20) * 512 : below(9000);
    if (r.file_bytes > 200 && below(4) == 0)
        r.offset = r.file_bytes - below(200);
    /* Linux itself makes EIO of a part that such a server takes; and its AIO ends where the server gave a part, where preadv asks
       for the rest. */
    if (!(r.writes && async_direct) && !(r.is_vector && r.way.flags == O_DIRECT && r.way.open_flags == 0))
        r.most = ONE_OF(mosts);
    return r;
}

/* The result, by a plain call or by AIO, with what the server has afterwards and what it was asked. */
static long long outcome_of(const struct request *r, int by_aio, unsigned char *buffer, int *asked)
{
    static int number;
    struct iovec parts[2] = { { buffer, r->size / 3 }, { buffer + r->size / 3, r->size - r->size / 3 } };
    atomic_int *requests = r->writes ? &fuse->writes : &fuse->reads;
    enum one_kind kind = r->writes ? ONE_WRITE : ONE_READ;
    char name[16];
    long long result;
    int fd, before;

    atomic_store(&fuse->open_flags, r->way.open_flags);
    atomic_store(&fuse->size, r->file_bytes);
    atomic_store(&fuse->give, r->writes ? 0 : r->most);
    atomic_store(&fuse->take, r->writes ? r->most : 0);
    fill_pattern(fuse->bytes, SPACE, 7);
    fill_pattern(buffer, SPACE, 9);
    snprintf(name, sizeof name, "f%d", number++);
    fd = fuse_open(name, O_RDWR | r->way.flags);
    before = atomic_load(requests);
    if (!r->is_vector)
        result = by_aio ? one_request(kind, fd, buffer, r->size, r->offset) : one_plain(kind, fd, buffer, r->size, r->offset);
    else if (by_aio)
        result = one_vector(r->writes, fd, parts, 2, r->offset);
    else
        result = r->writes ? pwritev(fd, parts, 2, r->offset) : preadv(fd, parts, 2, r->offset);
    if (!r->is_vector || by_aio || result >= 0)
        fsync(fd);
    else
        result = -errno;
    *asked = atomic_load(requests) - before;
    close(fd);
    return result;
}

static int run(int async_direct)
{
    unsigned char *plain = new_pages(SPACE), *buffer = new_pages(SPACE), *written = new_pages(SPACE);

    for (int round = 0; round < ROUNDS; round++) {
        struct request r = random_request(async_direct);
        int asked, want_asked;
        long long want = outcome_of(&r, 0, plain, &want_asked), got;

        memcpy(written, fuse->bytes, SPACE);
        got = outcome_of(&r, 1, buffer, &asked);
        /* The kernel's AIO may know without asking that nothing is there. What is not FOPEN_DIRECT_IO asks as it likes. */
        if (got != want || memcmp(plain, buffer, SPACE) || memcmp(written, fuse->bytes, SPACE) ||
            (want > 0 && asked != want_asked && r.way.open_flags))
            FAIL("round %d: %s%s of %zu at %lld, a server that moves %d at most, a file of %d, open flags %#x and %#x: plain %lld "
                 "(asked %d times), AIO %lld (%d)%s%s",
                 round, r.writes ? "write" : "read", r.is_vector ? " of a vector" : "", r.size, (long long)r.offset, r.most,
                 r.file_bytes, r.way.open_flags, r.way.flags, want, want_asked, got, asked,
                 memcmp(plain, buffer, SPACE) ? ", other bytes in memory" : "",
                 memcmp(written, fuse->bytes, SPACE) ? ", other bytes in the file" : "");
    }
    return 0;
}

int main(void)
{
    for (fuse_async_direct = 0; fuse_async_direct < 2; fuse_async_direct++) {
        pid_t child = fork_child();

        if (child == 0) {
            start_deadline();
            fuse_start(SPACE, 5);
            exit(run(fuse_async_direct));
        }
        int status = exit_status(child);

        if (status == 77)
            return 77; /* skipped, and it has said why */
        if (status)
            return 1;
    }
    return 0;
}
