/* aio_readv and aio_writev move what preadv and pwritev move: buffered, cached and not, with O_DIRECT, through pipes, with
   empty buffers, 1,024 of them, none at all. The array may be gone when the call has returned [B17] (FreeBSD aio_read(2);
   vfs_aio.c copies it). */
// links: uringaio
#include "aiocb.h"
#include "memory.h"

#include <sys/uio.h>

#ifndef LIO_READV
#error "the header does not say that there are vectors"
#endif

#define SIZE (1 << 20)

static struct aiocb make_vector(int fd, struct iovec *vectors, int count, off_t offset)
{
    struct aiocb cb = make_cb(fd, NULL, 0, offset);

    cb.aio_iov = vectors;
    cb.aio_iovcnt = count;
    return cb;
}

/* The array lies in memory that nothing is left of when the call has returned. */
static int call_with_copy(int (*call)(struct aiocb *), struct aiocb *cb, const struct iovec *vectors, int count)
{
    struct iovec *gone = MUST(mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    int answer;

    memcpy(gone, vectors, count * sizeof *vectors);
    cb->aio_iov = gone;
    cb->aio_iovcnt = count;
    answer = call(cb);
    MUST(munmap(gone, 16384));
    return answer;
}

static void cut(struct iovec *vectors, int count, char *memory, size_t piece)
{
    for (int i = 0; i < count; i++)
        vectors[i] = (struct iovec){ memory + i * piece, piece };
}

/* Reads all of `fd` into 16 buffers, the last of them first, and writes it back from them. */
static void whole_file(int fd, unsigned seed)
{
    char *memory = aligned(SIZE);
    struct iovec vectors[16];
    struct aiocb cb = make_cb(fd, NULL, 0, 0);

    for (int i = 0; i < 16; i++)
        vectors[i] = (struct iovec){ memory + (15 - i) * (SIZE / 16), SIZE / 16 };
    CHECK_INT(call_with_copy(aio_readv, &cb, vectors, 16), 0);
    CHECK_DONE(&cb, SIZE);
    for (int i = 0; i < 16; i++)
        check_pattern_at(memory + (15 - i) * (SIZE / 16), SIZE / 16, seed, (uint64_t)i * (SIZE / 16));
    /* Turned round. */
    cut(vectors, 16, memory, SIZE / 16);
    CHECK_INT(call_with_copy(aio_writev, &cb, vectors, 16), 0);
    CHECK_DONE(&cb, SIZE);
    memset(memory, 0, SIZE);
    CHECK_INT(preadv(fd, vectors, 16, 0), SIZE);
    for (int i = 0; i < 16; i++)
        check_pattern_at(memory + i * (SIZE / 16), SIZE / 16, seed, (uint64_t)(15 - i) * (SIZE / 16));
    free(memory);
}

static void small(int fd)
{
    static char memory[1024][7];
    static struct iovec vectors[1024];
    struct aiocb cb = make_vector(fd, vectors, 1024, 3);

    cut(vectors, 1024, memory[0], 7);
    CHECK_INT(aio_readv(&cb), 0);
    CHECK_DONE(&cb, 1024 * 7);
    check_pattern_at(memory, 1024 * 7, 0, 3);
    vectors[0].iov_len = vectors[2].iov_len = 0;
    cb = make_vector(fd, vectors, 4, 100);
    CHECK_INT(aio_readv(&cb), 0);
    CHECK_DONE(&cb, 14);
    check_pattern_at(memory[1], 7, 0, 100);
    check_pattern_at(memory[3], 7, 0, 107);
    /* Past the end, and over it. */
    cb = make_vector(fd, vectors, 4, 1 << 24);
    CHECK_INT(aio_readv(&cb), 0);
    CHECK_DONE(&cb, 0);
    cb = make_vector(fd, vectors, 4, 65536 - 5);
    CHECK_INT(aio_readv(&cb), 0);
    CHECK_DONE(&cb, 5);
    check_pattern_at(memory[1], 5, 0, 65536 - 5);
    for (int count = 0; count < 2; count++) { /* none, and one that is empty */
        cb = make_vector(fd, count ? vectors : NULL, count, 0);
        CHECK_INT(aio_readv(&cb), 0);
        CHECK_DONE(&cb, 0);
        CHECK_INT(aio_writev(&cb), 0);
        CHECK_DONE(&cb, 0);
    }
}

static void streams(void)
{
    static char out[3][100000], in[3][100000];
    struct iovec outs[3], ins[3];
    struct aiocb writing, reading;
    int ends[2];

    make_pipe(ends);
    for (int i = 0; i < 3; i++) {
        fill_pattern(out[i], sizeof out[i], i);
        outs[i] = (struct iovec){ out[i], sizeof out[i] };
        ins[i] = (struct iovec){ in[i], 1000 };
    }
    /* More than the pipe holds: the write is whole all the same, and the reads get what comes. */
    writing = make_vector(ends[1], outs, 3, 0);
    CHECK_INT(aio_writev(&writing), 0);
    reading = make_vector(ends[0], ins, 3, 0);
    CHECK_INT(aio_readv(&reading), 0);
    CHECK_DONE(&reading, 3000);
    for (int i = 0; i < 3; i++)
        check_pattern_at(in[i], 1000, 0, i * 1000);
    read_whole(ends[0], in, sizeof in - 3000);
    CHECK_DONE(&writing, (long long)sizeof out);
    check_pattern_at(in, 97000, 0, 3000);
    check_pattern_at((char *)in + 97000, 100000, 1, 0);
    check_pattern_at((char *)in + 197000, 100000, 2, 0);
}

int main(void)
{
    int cached = pattern_file(O_RDWR, SIZE, 1), uncached = pattern_file(O_RDWR, SIZE, 2);

    whole_file(cached, 1);
    MUST(fsync(uncached));
    MUST(posix_fadvise(uncached, 0, 0, POSIX_FADV_DONTNEED));
    whole_file(uncached, 2);
    small(pattern_file(O_RDWR, 65536, 0));
    streams();
    whole_file(pattern_file(O_RDWR | O_DIRECT, SIZE, 3), 3);
    return 0;
}
