/* A FUSE server that answers short, and what read, write and io_uring make of it. See io_uring-fuse-direct.md.

   cc -o fuse-short fuse-short.c && sudo ./fuse-short

   The mount lies in a mount namespace of its own and ends with the program. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 1500, STEP = 512 }; /* the size of the file; what the server takes of a write at most */

static void reply(int dev, uint64_t unique, int error, const void *data, size_t size)
{
    struct fuse_out_header head = { .len = sizeof head + size, .error = -error, .unique = unique };
    struct iovec parts[] = { { &head, sizeof head }, { (void *)data, size } };

    if (writev(dev, parts, 2) < 0 && errno != ENOENT)
        perror("server");
}

static struct fuse_attr attributes(uint64_t node)
{
    return (struct fuse_attr){ .ino = node, .nlink = 1, .size = node == FUSE_ROOT_ID ? 0 : SIZE,
                               .mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0644 };
}

static void serve(int dev, int open_flags)
{
    static char in[1 << 20], bytes[1 << 17];
    const struct fuse_in_header *head = (void *)in;
    const void *body = in + sizeof *head;

    while (read(dev, in, sizeof in) > 0) {
        switch (head->opcode) {
        case FUSE_INIT: {
            struct fuse_init_out out = { .major = 7, .minor = 31, .max_write = 1 << 17 };
            reply(dev, head->unique, 0, &out, sizeof out);
            break;
        }
        case FUSE_LOOKUP: {
            struct fuse_entry_out out = { .nodeid = 2, .entry_valid = 3600, .attr_valid = 3600, .attr = attributes(2) };
            reply(dev, head->unique, 0, &out, sizeof out);
            break;
        }
        case FUSE_GETATTR: {
            struct fuse_attr_out out = { .attr_valid = 3600, .attr = attributes(head->nodeid) };
            reply(dev, head->unique, 0, &out, sizeof out);
            break;
        }
        case FUSE_OPEN: {
            struct fuse_open_out out = { .open_flags = open_flags };
            reply(dev, head->unique, 0, &out, sizeof out);
            break;
        }
        case FUSE_READ: {
            const struct fuse_read_in *arg = body;
            uint32_t there = arg->offset < SIZE ? SIZE - arg->offset : 0, given = arg->size < there ? arg->size : there;
            printf("    server: READ offset %llu size %u, gives %u\n", (unsigned long long)arg->offset, arg->size, given);
            fflush(stdout);
            reply(dev, head->unique, 0, bytes, given);
            break;
        }
        case FUSE_WRITE: {
            const struct fuse_write_in *arg = body;
            struct fuse_write_out out = { .size = arg->size < STEP ? arg->size : STEP };
            printf("    server: WRITE offset %llu size %u, takes %u\n", (unsigned long long)arg->offset, arg->size, out.size);
            fflush(stdout);
            reply(dev, head->unique, 0, &out, sizeof out);
            break;
        }
        case FUSE_FLUSH:
        case FUSE_RELEASE:
            reply(dev, head->unique, 0, NULL, 0);
            break;
        case FUSE_FORGET:
            break;
        default:
            reply(dev, head->unique, ENOSYS, NULL, 0);
        }
    }
    _exit(0);
}

/* One request on a ring of its own. */
static int by_io_uring(int opcode, int fd, void *buffer, unsigned size)
{
    struct io_uring_params p = { 0 };
    int ring = syscall(SYS_io_uring_setup, 4, &p), protection = PROT_READ | PROT_WRITE, result;
    char *sq = mmap(NULL, p.sq_off.array + p.sq_entries * 4, protection, MAP_SHARED, ring, IORING_OFF_SQ_RING);
    char *cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), protection, MAP_SHARED, ring,
                    IORING_OFF_CQ_RING);
    struct io_uring_sqe *sqe = mmap(NULL, p.sq_entries * sizeof *sqe, protection, MAP_SHARED, ring, IORING_OFF_SQES);

    if (ring < 0 || sq == MAP_FAILED || cq == MAP_FAILED || sqe == MAP_FAILED)
        return -errno;
    *sqe = (struct io_uring_sqe){ .opcode = opcode, .fd = fd, .addr = (uintptr_t)buffer, .len = size };
    *(unsigned *)(sq + p.sq_off.array) = 0;
    __atomic_store_n((unsigned *)(sq + p.sq_off.tail), 1, __ATOMIC_RELEASE);
    if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
        return -errno;
    result = ((struct io_uring_cqe *)(cq + p.cq_off.cqes))->res;
    close(ring);
    return result;
}

static void show(const char *name, int open_flags, int flags)
{
    static char directory[] = "/tmp/fuse-short.XXXXXX";
    char options[64], path[64];
    int dev = open("/dev/fuse", O_RDWR), fd;
    pid_t server;
    void *buffer;

    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0", dev);
    if (strstr(directory, "XXXXXX") && !mkdtemp(directory))
        exit(1);
    if (dev < 0 || mount("fuse-short", directory, "fuse", 0, options)) {
        perror("mount");
        exit(1);
    }
    printf("%s\n", name);
    fflush(stdout);
    if ((server = fork()) == 0)
        serve(dev, open_flags);
    close(dev);
    snprintf(path, sizeof path, "%s/file", directory);
    fd = open(path, O_RDWR | flags);
    if (fd < 0 || posix_memalign(&buffer, 4096, 4096))
        exit(1);
#define SAY(call, ...) printf("  " call "\n", __VA_ARGS__), fflush(stdout)
    SAY("pread of 4096 at 0 returns %zd", pread(fd, buffer, 4096, 0));
    SAY("IORING_OP_READ of 4096 at 0 returns %d", by_io_uring(IORING_OP_READ, fd, buffer, 4096));
    SAY("pwrite of 1500 at 0 returns %zd", pwrite(fd, buffer, 1500, 0));
    SAY("IORING_OP_WRITE of 1500 at 0 returns %d", by_io_uring(IORING_OP_WRITE, fd, buffer, 1500));
    close(fd);
    umount(directory);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    rmdir(directory);
    strcpy(directory + strlen(directory) - 6, "XXXXXX");
}

int main(void)
{
    if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
        perror("a mount namespace");
        return 1;
    }
    show("FOPEN_DIRECT_IO", FOPEN_DIRECT_IO, 0);
    show("FOPEN_DIRECT_IO and O_DIRECT", FOPEN_DIRECT_IO, O_DIRECT);
    show("O_DIRECT alone", 0, O_DIRECT);
    return 0;
}
