/* A file system whose server is a child process of the test: it speaks the protocol of /dev/fuse itself and does what
   the test tells it through shared memory. It holds requests, counts them, answers them with errors, takes less than it
   is offered, and lets attributes expire.

   Every name in it is a file of its own; all files share their bytes and settings. The mount lies in a mount namespace
   of the test, so that it ends with the test. The server ends a little after the test's deadline at the latest: what
   the kernel then still waits for ends with ENOTCONN, and the test's process can end. */
#ifndef FUSE_SERVER_H
#define FUSE_SERVER_H

#include <linux/fuse.h>
#include <poll.h>
#include <sys/mount.h>

#include "behaviour.h"
#include "fuse-reply.h"

/* What is held while its bit is set. FUSE_HOLD_AT_ZERO narrows reads and writes to those at offset 0. */
enum {
    FUSE_HOLD_ATTRIBUTES = 1,
    FUSE_HOLD_READS = 2,
    FUSE_HOLD_WRITES = 4,
    FUSE_HOLD_FSYNCS = 8,
    FUSE_HOLD_AT_ZERO = 16,
};

#define FUSE_BYTES (1 << 20) /* as large as a file can be */
#define FUSE_RECORDS 4096

struct fuse_record {
    int64_t offset;
    uint32_t size;
};

struct fuse_server {
    /* Set by the test. Defaults: everything zero but `size`. */
    atomic_int hold;
    atomic_int open_flags;                            /* FOPEN_… for each open */
    atomic_int attributes_expire;                     /* attributes are valid for no time at all */
    atomic_int ignore_interrupts;                     /* what is held stays held when its caller is interrupted */
    atomic_llong size;                                /* of every file */
    atomic_int take;                                  /* bytes taken of a write at most; 0: all */
    atomic_int give;                                  /* bytes given to a read at most; 0: all */
    atomic_int read_error, write_error, fsync_error;  /* an errno that answers the next requests … */
    atomic_int errors_left;                           /* … as many of them as this; negative: all */

    /* Counted by the server: requests that have reached it, and those held now. */
    atomic_int attributes, reads, writes, fsyncs, flushes, held;
    struct fuse_record read_records[FUSE_RECORDS], write_records[FUSE_RECORDS];

    unsigned char bytes[FUSE_BYTES];                  /* what every file holds */
    char path[PATH_MAX];                              /* where it is mounted */
    pid_t pid;
};

static struct fuse_server *fuse;

/* Set before fuse_start: the server lets direct requests be in flight without a thread (FUSE_ASYNC_DIO). */
static int fuse_async_direct;

struct fuse_held {
    int bits;
    struct fuse_in_header head;
    union {
        struct fuse_read_in read;
        struct fuse_write_in write;
    };
    unsigned char *data;
};

static inline struct fuse_attr fuse_attributes(uint64_t node)
{
    struct fuse_attr attr = { .ino = node, .nlink = 1, .blksize = 4096 };

    attr.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0777 : S_IFREG | 0666;
    attr.size = node == FUSE_ROOT_ID ? 0 : atomic_load(&fuse->size);
    return attr;
}

/* The error that answers this request, if one is due. */
static inline int fuse_error_due(atomic_int *error)
{
    int value = atomic_load(error), left = atomic_load(&fuse->errors_left);

    if (value == 0 || left == 0)
        return 0;
    if (left > 0)
        atomic_store(&fuse->errors_left, left - 1);
    return value;
}

static inline void fuse_answer(int dev, struct fuse_held *r)
{
    int64_t size = atomic_load(&fuse->size);
    int error = 0;

    switch (r->head.opcode) {
    case FUSE_READ: {
        int64_t there = (int64_t)r->read.offset < size ? size - (int64_t)r->read.offset : 0;
        int64_t length = r->read.size < there ? r->read.size : there, give = atomic_load(&fuse->give);

        if (give && length > give)
            length = give;
        error = fuse_error_due(&fuse->read_error);
        fuse_reply(dev, r->head.unique, error, fuse->bytes + r->read.offset, length);
        break;
    }
    case FUSE_WRITE: {
        struct fuse_write_out out = { .size = r->write.size };
        uint32_t take = atomic_load(&fuse->take);

        if (take && out.size > take)
            out.size = take;
        error = fuse_error_due(&fuse->write_error);
        if (!error && r->write.offset + out.size <= FUSE_BYTES) {
            memcpy(fuse->bytes + r->write.offset, r->data, out.size);
            if ((int64_t)(r->write.offset + out.size) > size)
                atomic_store(&fuse->size, r->write.offset + out.size);
        }
        fuse_reply(dev, r->head.unique, error, &out, sizeof out);
        break;
    }
    case FUSE_FSYNC:
        fuse_reply(dev, r->head.unique, fuse_error_due(&fuse->fsync_error), NULL, 0);
        break;
    default: {
        struct fuse_attr_out out = { .attr_valid = atomic_load(&fuse->attributes_expire) ? 0 : 3600 };

        out.attr = fuse_attributes(r->head.nodeid);
        fuse_reply(dev, r->head.unique, 0, &out, sizeof out);
    }
    }
    free(r->data);
}

static inline void fuse_record(struct fuse_record *records, atomic_int *count, uint64_t offset, uint32_t size)
{
    int n = atomic_load(count);

    if (n < FUSE_RECORDS)
        records[n] = (struct fuse_record){ (int64_t)offset, size };
    atomic_fetch_add(count, 1);
}

static inline void fuse_serve(int dev)
{
    static unsigned char in[(1 << 17) + 4096];
    static struct fuse_held held[FUSE_RECORDS];
    int count = 0;

    for (;;) {
        struct pollfd ready = { dev, POLLIN, 0 };

        for (int i = 0; i < count;) {
            int bits = held[i].bits, hold = atomic_load(&fuse->hold);

            if ((bits & hold & ~FUSE_HOLD_AT_ZERO) && (!(hold & FUSE_HOLD_AT_ZERO) || (bits & FUSE_HOLD_AT_ZERO))) {
                i++;
            } else {
                fuse_answer(dev, &held[i]);
                memmove(&held[i], &held[i + 1], (--count - i) * sizeof held[0]);
            }
        }
        atomic_store(&fuse->held, count);
        if (poll(&ready, 1, count ? 1 : -1) <= 0)
            continue;
        ssize_t n = read(dev, in, sizeof in);
        struct fuse_held r = { .head = *(struct fuse_in_header *)in };
        const void *body = in + sizeof r.head;

        if (n < (ssize_t)sizeof r.head) {
            if (n == -1 && (errno == EINTR || errno == EAGAIN || errno == ENOENT))
                continue;
            _exit(0);
        }
        switch (r.head.opcode) {
        case FUSE_INIT: {
            struct fuse_init_out out = { .major = 7, .minor = 31, .max_write = 1 << 17, .max_background = 1000,
                                         .congestion_threshold = 1000, .flags = FUSE_BIG_WRITES | FUSE_ASYNC_READ };

            out.flags |= fuse_async_direct ? FUSE_ASYNC_DIO : 0;
            fuse_reply(dev, r.head.unique, 0, &out, sizeof out);
            break;
        }
        case FUSE_LOOKUP: {
            struct fuse_entry_out out = { .nodeid = 100 + *(const unsigned char *)body, .entry_valid = 3600 };

            out.attr_valid = atomic_load(&fuse->attributes_expire) ? 0 : 3600;
            out.attr = fuse_attributes(out.nodeid);
            fuse_reply(dev, r.head.unique, 0, &out, sizeof out);
            break;
        }
        case FUSE_OPEN: {
            struct fuse_open_out out = { .open_flags = atomic_load(&fuse->open_flags) };

            fuse_reply(dev, r.head.unique, 0, &out, sizeof out);
            break;
        }
        case FUSE_FORGET:
        case FUSE_BATCH_FORGET:
            break;
        case FUSE_INTERRUPT:
            for (int i = 0; i < count && !atomic_load(&fuse->ignore_interrupts); i++) {
                if (held[i].head.unique == ((const struct fuse_interrupt_in *)body)->unique) {
                    fuse_reply(dev, held[i].head.unique, EINTR, NULL, 0);
                    free(held[i].data);
                    memmove(&held[i], &held[i + 1], (--count - i) * sizeof held[0]);
                    break;
                }
            }
            break;
        case FUSE_GETATTR:
        case FUSE_SETATTR:
            r.bits = r.head.nodeid == FUSE_ROOT_ID ? 0 : FUSE_HOLD_ATTRIBUTES | FUSE_HOLD_AT_ZERO;
            held[count++] = r;
            atomic_fetch_add(&fuse->attributes, r.bits != 0);
            break;
        case FUSE_READ:
            r.read = *(const struct fuse_read_in *)body;
            r.bits = FUSE_HOLD_READS | (r.read.offset ? 0 : FUSE_HOLD_AT_ZERO);
            held[count++] = r;
            fuse_record(fuse->read_records, &fuse->reads, r.read.offset, r.read.size);
            break;
        case FUSE_WRITE:
            r.write = *(const struct fuse_write_in *)body;
            r.bits = FUSE_HOLD_WRITES | (r.write.offset ? 0 : FUSE_HOLD_AT_ZERO);
            r.data = malloc(r.write.size + 1);
            memcpy(r.data, (const unsigned char *)body + sizeof r.write, r.write.size);
            held[count++] = r;
            fuse_record(fuse->write_records, &fuse->writes, r.write.offset, r.write.size);
            break;
        case FUSE_FSYNC:
            r.bits = FUSE_HOLD_FSYNCS | FUSE_HOLD_AT_ZERO;
            held[count++] = r;
            atomic_fetch_add(&fuse->fsyncs, 1);
            break;
        case FUSE_FLUSH:
            atomic_fetch_add(&fuse->flushes, 1);
            fuse_reply(dev, r.head.unique, 0, NULL, 0);
            break;
        case FUSE_RELEASE:
            fuse_reply(dev, r.head.unique, 0, NULL, 0);
            break;
        default:
            fuse_reply(dev, r.head.unique, ENOSYS, NULL, 0);
        }
        atomic_store(&fuse->held, count);
    }
}

/* Mounts the file system and starts its server, with files of `size` bytes of pattern `seed`; to be called before there
   are threads. Skips where it may not be mounted. */
static inline void fuse_start(size_t size, unsigned seed)
{
    char options[128];
    int dev;

    fuse = new_shared(sizeof *fuse);
    CHECK(size <= FUSE_BYTES);
    atomic_store(&fuse->size, size);
    fill_pattern(fuse->bytes, size, seed);
    snprintf(fuse->path, sizeof fuse->path, "%s", test_path("fuse"));
    if (mkdir(fuse->path, 0755) == -1)
        CHECK_INT(errno, EEXIST);
    if ((dev = open("/dev/fuse", O_RDWR | O_CLOEXEC)) == -1)
        SKIP("no FUSE here: /dev/fuse: %s", strerror(errno));
    if (unshare(CLONE_NEWNS) == -1)
        SKIP("no FUSE here: unshare: %s", strerror(errno));
    if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == -1)
        SKIP("no FUSE here: a private mount namespace: %s", strerror(errno));
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=%d,group_id=%d,allow_other", dev, getuid(),
             getgid());
    if (mount("test", fuse->path, "fuse", MS_NOSUID | MS_NODEV, options) == -1)
        SKIP("no FUSE here: mount: %s", strerror(errno));
    fuse->pid = fork_child();
    if (fuse->pid == 0) {
        signal(SIGALRM, SIG_DFL);
        alarm(deadline_seconds() + 5);
        fuse_serve(dev);
    }
    holder = fuse->pid;
    close(dev);
}

/* Opens a file of it; names that begin with different letters are different files. */
static inline int fuse_open(const char *name, int flags)
{
    char path[PATH_MAX + 8];

    snprintf(path, sizeof path, "%s/%s", fuse->path, name);
    return MUST(open(path, flags | O_CLOEXEC));
}

/* From here on what is opened bypasses the page cache, one request of the kernel for each read and write, also for writes of
   one file at the same time (FOPEN_PARALLEL_DIRECT_WRITES, 6.2). */
static inline void fuse_open_directly(void)
{
    atomic_store(&fuse->open_flags, FOPEN_DIRECT_IO | 1 << 6);
}

static inline void fuse_hold(int bits)
{
    atomic_fetch_or(&fuse->hold, bits);
}

static inline void fuse_release(void)
{
    atomic_store(&fuse->hold, 0);
}

#endif
