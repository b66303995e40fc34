/* Regular files whose reads, writes and fsyncs end when the test says so: a file system of the test's own (FUSE), served
   by a child process. It makes visible, without timing, what runs beside what.

   Every file in it is as large as SLOW_SIZE; a read gives pattern_byte(SLOW_SEED, offset), a write is dropped. Reads and
   writes bypass the page cache, one request of the kernel for each. A held request that the kernel interrupts (because
   the program cancels it or ends) is answered with EINTR. */
#ifndef SLOW_FILE_H
#define SLOW_FILE_H

#include <linux/fuse.h>
#include <linux/mount.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "check.h"
#include "deadline.h"
#include "files.h"
#include "fuse-reply.h"

#define SLOW_SIZE (1 << 28)
#define SLOW_SEED 77u

/* What the server holds back while the bit is set. */
enum { HOLD_READ_AT_0 = 1, HOLD_WRITE_AT_0 = 2, HOLD_FSYNC = 4 };

struct slow_files {
    atomic_int hold;
    atomic_int reads, writes, fsyncs;            /* that have reached the file system */
    atomic_int reads_at_0, writes_at_0;          /* of these, those at offset 0 */
    atomic_int interrupted;                      /* held ones that were answered with EINTR */
    int mount;                                   /* a descriptor of its root */
};

static struct slow_files *slow;

struct slow_request {
    int bit;
    struct fuse_in_header head;
    union {
        struct fuse_read_in read;
        struct fuse_write_in write;
    };
};

static inline struct fuse_attr slow_attr(uint64_t node)
{
    struct fuse_attr attr = { .ino = node, .nlink = 1, .uid = getuid(), .gid = getgid(), .blksize = 4096 };

    attr.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0644;
    attr.size = node == FUSE_ROOT_ID ? 0 : SLOW_SIZE;
    return attr;
}

static inline void slow_answer(int dev, const struct slow_request *r)
{
    static char bytes[1 << 17];

    if (r->head.opcode == FUSE_READ) {
        for (size_t i = 0; i < r->read.size; i++)
            bytes[i] = pattern_byte(SLOW_SEED, r->read.offset + i);
        fuse_reply(dev, r->head.unique, 0, bytes, r->read.size);
    } else if (r->head.opcode == FUSE_WRITE) {
        struct fuse_write_out out = { .size = r->write.size };

        fuse_reply(dev, r->head.unique, 0, &out, sizeof out);
    } else {
        fuse_reply(dev, r->head.unique, 0, NULL, 0);
    }
}

static inline void slow_serve(int dev)
{
    static char in[(1 << 17) + 4096];
    static struct slow_request held[4096];
    int count = 0;

    alarm(300);
    for (;;) {
        struct pollfd ready = { dev, POLLIN, 0 };

        for (int i = 0; i < count;) {
            if (atomic_load(&slow->hold) & held[i].bit) {
                i++;
            } else {
                slow_answer(dev, &held[i]);
                memmove(&held[i], &held[i + 1], (--count - i) * sizeof held[0]);
            }
        }
        if (poll(&ready, 1, count ? 1 : -1) <= 0)
            continue;
        ssize_t n = read(dev, in, sizeof in);
        struct slow_request r = { .head = *(struct fuse_in_header *)in };
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

            fuse_reply(dev, r.head.unique, 0, &out, sizeof out);
            break;
        }
        case FUSE_LOOKUP: {
            struct fuse_entry_out out = { .nodeid = 100 + *(const unsigned char *)body, .attr_valid = 3600, .entry_valid = 3600 };

            out.attr = slow_attr(out.nodeid);
            fuse_reply(dev, r.head.unique, 0, &out, sizeof out);
            break;
        }
        case FUSE_GETATTR:
        case FUSE_SETATTR: {
            struct fuse_attr_out out = { .attr_valid = 3600, .attr = slow_attr(r.head.nodeid) };

            fuse_reply(dev, r.head.unique, 0, &out, sizeof out);
            break;
        }
        case FUSE_OPEN: {
            struct fuse_open_out out = { .open_flags = FOPEN_DIRECT_IO | (1 << 6) /* FOPEN_PARALLEL_DIRECT_WRITES, 6.1 */ };

            fuse_reply(dev, r.head.unique, 0, &out, sizeof out);
            break;
        }
        case FUSE_FORGET:
        case FUSE_BATCH_FORGET:
            break;
        case FUSE_INTERRUPT:
            for (int i = 0; i < count; i++) {
                if (held[i].head.unique == ((const struct fuse_interrupt_in *)body)->unique) {
                    fuse_reply(dev, held[i].head.unique, EINTR, NULL, 0);
                    memmove(&held[i], &held[i + 1], (--count - i) * sizeof held[0]);
                    atomic_fetch_add(&slow->interrupted, 1);
                    break;
                }
            }
            break;
        case FUSE_READ:
            r.read = *(const struct fuse_read_in *)body;
            r.bit = r.read.offset == 0 ? HOLD_READ_AT_0 : 0;
            held[count++] = r;
            atomic_fetch_add(&slow->reads_at_0, r.read.offset == 0);
            atomic_fetch_add(&slow->reads, 1);
            break;
        case FUSE_WRITE:
            r.write = *(const struct fuse_write_in *)body;
            r.bit = r.write.offset == 0 ? HOLD_WRITE_AT_0 : 0;
            held[count++] = r;
            atomic_fetch_add(&slow->writes_at_0, r.write.offset == 0);
            atomic_fetch_add(&slow->writes, 1);
            break;
        case FUSE_FSYNC:
            r.bit = HOLD_FSYNC;
            held[count++] = r;
            atomic_fetch_add(&slow->fsyncs, 1);
            break;
        case FUSE_FLUSH:
        case FUSE_RELEASE:
            fuse_reply(dev, r.head.unique, 0, NULL, 0);
            break;
        default:
            fuse_reply(dev, r.head.unique, ENOSYS, NULL, 0);
        }
    }
}

static inline void slow_option(int context, const char *key, const char *value)
{
    if (syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, key, value, 0) == -1)
        SKIP("no FUSE here: %s=%s: %s", key, value, strerror(errno));
}

/* Makes the file system; to be called first in main, before there are threads. It is mounted nowhere: it has no place in any
   mount namespace, and is gone with its last descriptor. Skips where it cannot be made. */
static inline void slow_start(void)
{
    char number[16];
    int dev, context, mount;

    slow = MUST(mmap(NULL, sizeof *slow, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    if ((dev = open("/dev/fuse", O_RDWR | O_CLOEXEC)) == -1)
        SKIP("no FUSE here: /dev/fuse: %s", strerror(errno));
    if ((context = (int)syscall(SYS_fsopen, "fuse", FSOPEN_CLOEXEC)) == -1)
        SKIP("no FUSE here: fsopen: %s", strerror(errno));
    snprintf(number, sizeof number, "%d", dev);
    slow_option(context, "source", "slow");
    slow_option(context, "fd", number);
    slow_option(context, "rootmode", "40000");
    snprintf(number, sizeof number, "%u", getuid());
    slow_option(context, "user_id", number);
    snprintf(number, sizeof number, "%u", getgid());
    slow_option(context, "group_id", number);
    if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == -1)
        SKIP("no FUSE here: fsconfig: %s", strerror(errno));
    if ((mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)) == -1)
        SKIP("no FUSE here: fsmount: %s", strerror(errno));
    close(context);
    /* Out of the way of programs that look at low numbers. */
    slow->mount = MUST(fcntl(mount, F_DUPFD_CLOEXEC, 200));
    close(mount);
    if (MUST(fork()) == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(slow->mount);
        slow_serve(dev);
    }
    close(dev);
}

/* Opens a file of it; names that begin with different letters are different files. */
static inline int slow_open(const char *name, int flags)
{
    return MUST(openat(slow->mount, name, flags | O_CLOEXEC));
}

static inline void slow_hold(int bits)
{
    atomic_fetch_or(&slow->hold, bits);
}

static inline void slow_release(int bits)
{
    atomic_fetch_and(&slow->hold, ~bits);
}

#endif
