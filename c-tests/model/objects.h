/* What the model knows: the contents of files, the order of appended files, the bytes on their way through streams. */
#ifndef OBJECTS_H
#define OBJECTS_H

#include <poll.h>

#include "request.h"

#define FILES 4
#define APPENDED 2
#define PIPES 3
#define PAIRS 2
#define STREAMS (PIPES + 2 * PAIRS)
#define FILE_SIZE (64 << 10)

static struct file {
    int fd;
    unsigned char shadow[FILE_SIZE];
} files[FILES];

static struct appended {
    int fd;
    off_t settled;
} appended[APPENDED];

/* A direction of a pipe or socket pair. Each end has a descriptor of its own. */
static struct stream {
    int read_end, write_end;
} streams[STREAMS];

static inline void open_file(int i)
{
    files[i].fd = temp_file(O_RDWR | (i % 2 ? O_CLOEXEC : 0));
    MUST(ftruncate(files[i].fd, FILE_SIZE));
    memset(files[i].shadow, 0, FILE_SIZE);
}

static inline void open_appended(int i)
{
    appended[i].fd = temp_file(O_RDWR | O_APPEND);
    appended[i].settled = 0;
}

/* A pair of sockets is two streams, i and i + 1 from an even distance on. */
static inline void open_stream(int i)
{
    int ends[2];

    if (i < PIPES) {
        make_pipe(ends);
        streams[i] = (struct stream){ ends[0], ends[1] };
    } else if ((i - PIPES) % 2 == 0) {
        make_stream_pair(ends);
        streams[i] = (struct stream){ ends[0], ends[1] };
        streams[i + 1] = (struct stream){ MUST(dup(ends[1])), MUST(dup(ends[0])) };
    }
}

static inline void close_stream(int i)
{
    close(streams[i].read_end);
    close(streams[i].write_end);
}

static inline int overlap(const struct request *r, off_t offset, size_t size)
{
    return r->cb.aio_offset < offset + (off_t)size && offset < r->cb.aio_offset + (off_t)r->cb.aio_nbytes;
}

/* What a request did is known from here on, and is compared with what it should have done as far as that is known now. */
static inline void note_end(struct request *r)
{
    int error = aio_error(&r->cb);

    if (r->over) {
        CHECK_INT(error, r->error);
        CHECK_INT(aio_return(&r->cb), r->result);
        return;
    }
    if (error == EINPROGRESS) {
        CHECK(!r->cancelled);
        return;
    }
    r->over = 1;
    r->error = error;
    r->result = aio_return(&r->cb);
    if (r->cancelled)
        CHECK_INT(error, ECANCELED);
    if (r->kind == WRONG) {
        /* Cancelled before its mistake was seen: then ECANCELED. */
        if (error != ECANCELED)
            CHECK_INT(error, r->want_error);
        CHECK_INT(r->result, -1);
        return;
    }
    if (error == ECANCELED) {
        CHECK_INT(r->result, -1);
        if (r->cb.aio_lio_opcode == LIO_READ)
            CHECK(is_all(r->buffer, r->cb.aio_nbytes, 0xee));
        return;
    }
    CHECK_INT(error, 0);
    struct file *f = &files[r->object];
    size_t size = r->cb.aio_nbytes;
    off_t at = r->cb.aio_offset;
    switch (r->kind) {
    case FILE_READ: {
        size_t there = at >= FILE_SIZE ? 0 : at + size > FILE_SIZE ? (size_t)(FILE_SIZE - at) : size;
        CHECK_INT(r->result, there);
        if (there && memcmp(r->buffer, f->shadow + at, there))
            FAIL("a read of file %d at %ld, %zu bytes, is not what was written", r->object, (long)at, there);
        CHECK(is_all(r->buffer + there, size - there, 0xee));
        break;
    }
    case FILE_WRITE:
        CHECK_INT(r->result, size);
        memcpy(f->shadow + at, r->buffer, size);
        break;
    case FILE_SYNC:
        CHECK_INT(r->result, 0);
        /* Everything that was queued on the descriptor before it is done. */
        for (struct request *before = requests; before < r; before++)
            if ((before->kind == FILE_READ || before->kind == FILE_WRITE) && before->object == r->object)
                CHECK(aio_error(&before->cb) != EINPROGRESS);
        break;
    case STREAM_READ:
        CHECK(r->result > 0 && r->result <= (ssize_t)size);
        CHECK(is_all(r->buffer + r->result, size - r->result, 0xee));
        break;
    default:
        CHECK_INT(r->result, size);
    }
}

static inline int is_pending(struct request *r)
{
    note_end(r);
    return !r->over;
}

static inline void note_all_ends(void)
{
    for (int i = 0; i < request_count; i++)
        note_end(&requests[i]);
}

static inline struct request *first_pending(enum kind kind, int object)
{
    for (int i = 0; i < request_count; i++)
        if (requests[i].kind == kind && requests[i].object == object && is_pending(&requests[i]))
            return &requests[i];
    return NULL;
}

/* Everything that came out of the stream beside the requests, after them. */
static char drained[STREAMS][1 << 20];

/* Brings a stream to rest and compares what went in with what came out. */
static inline void settle_stream(int s)
{
    size_t filler = 0, out = 0;
    struct request *reader, *writer;

    for (;;) {
        reader = first_pending(STREAM_READ, s);
        writer = first_pending(STREAM_WRITE, s);
        if (!reader && !writer)
            break;
        if (reader && writer) {
            const struct aiocb *list[] = { &reader->cb, &writer->cb };

            if (aio_suspend(list, 2, &(struct timespec){ DEADLINE_SECONDS, 0 }) == -1 && errno != EINTR)
                FAIL("stream %d: neither its read nor its write goes on", s);
        } else if (reader) {
            /* No bytes are on their way, or the read is about to end. */
            CHECK_INT(write(streams[s].write_end, "f", 1), 1);
            filler++;
            AWAIT_CB(&reader->cb);
        } else {
            struct pollfd ready = { streams[s].read_end, POLLIN, 0 };
            int64_t end = deadline_ns();
            int polled;

            /* Ends with bytes to read, or because the last of them were read before and the write is over. */
            while ((polled = poll(&ready, 1, 1)) != 1 && aio_error(&writer->cb) == EINPROGRESS)
                if (now_ns() > end)
                    FAIL("stream %d: a write waits, though all was read", s);
            if (polled == 1) {
                ssize_t n = read(streams[s].read_end, drained[s] + out, 65536);
                CHECK(n > 0);
                out += n;
                CHECK(out + 65536 < sizeof drained[s]);
            }
        }
    }
    MUST(fcntl(streams[s].read_end, F_SETFL, O_NONBLOCK));
    for (ssize_t n; (n = read(streams[s].read_end, drained[s] + out, 65536)) > 0;) {
        out += n;
        CHECK(out + 65536 < sizeof drained[s]);
    }
    CHECK_INT(errno, EAGAIN);
    MUST(fcntl(streams[s].read_end, F_SETFL, 0));

    /* In went the writes that succeeded, in order, then the filler; out came the reads, in order, then what was drained. */
    struct request *in = requests - 1;
    size_t in_at = 0, in_size = 0;
    for (int i = 0; i <= request_count; i++) {
        struct request *r = i < request_count ? &requests[i] : NULL;
        const char *bytes = r ? r->buffer : drained[s];
        size_t count = r ? 0 : out;

        if (r && r->kind == STREAM_READ && r->object == s && r->error == 0)
            count = r->result;
        for (size_t j = 0; j < count; j++) {
            unsigned char want = 'f';

            while (in < requests + request_count && in_at == in_size) {
                in_at = in_size = 0;
                if (++in < requests + request_count && in->kind == STREAM_WRITE && in->object == s && in->error == 0)
                    in_size = in->cb.aio_nbytes;
            }
            if (in < requests + request_count)
                want = pattern_byte(in->id, in_at++);
            else if (filler-- == 0)
                FAIL("stream %d gives more bytes than went in", s);
            if ((unsigned char)bytes[j] != want)
                FAIL("stream %d, byte %zu of %s %d: %#x, not %#x", s, j, r ? "request" : "the rest", i, bytes[j] & 255, want);
        }
    }
    while (in < requests + request_count && in_at == in_size) {
        in_at = in_size = 0;
        if (++in < requests + request_count && in->kind == STREAM_WRITE && in->object == s && in->error == 0)
            in_size = in->cb.aio_nbytes;
    }
    CHECK(in == requests + request_count && filler == 0);
}

static inline void settle_appended(int a)
{
    static char bytes[BUFFER];

    for (int i = 0; i < request_count; i++) {
        struct request *r = &requests[i];

        if (r->kind != APPEND || r->object != a || r->error != 0)
            continue;
        CHECK_INT(pread(appended[a].fd, bytes, r->cb.aio_nbytes, appended[a].settled), (long long)r->cb.aio_nbytes);
        if (!is_pattern(bytes, r->cb.aio_nbytes, r->id))
            FAIL("appended file %d: request %d is not at its place", a, i);
        appended[a].settled += r->cb.aio_nbytes;
    }
    CHECK_INT(lseek(appended[a].fd, 0, SEEK_END), appended[a].settled);
}

static inline void settle_file(int f)
{
    static unsigned char bytes[FILE_SIZE];

    CHECK_INT(pread(files[f].fd, bytes, FILE_SIZE, 0), FILE_SIZE);
    CHECK_INT(memcmp(bytes, files[f].shadow, FILE_SIZE), 0);
}

#endif
