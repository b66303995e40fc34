/* fuse BACKING DIRECTORY THREADS VALID: a small FUSE server for the benchmark, without libfuse. It mounts a file system on
 * DIRECTORY whose only file, DIRECTORY/file, passes what is read and written on to BACKING. THREADS threads serve it, each
 * on its own clone of /dev/fuse. The kernel may keep attributes for VALID seconds: libfuse says 1, and file systems that
 * must show changes at once, such as bindfs, say 0. With 0 the kernel asks for the size before each read, and waits for it.
 * The program prints "ready" when the file system is mounted, and unmounts it on SIGTERM, and when the program that started
 * it ends. Needs root. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    MOST_DATA_BYTES = 128 * 1024,
    REQUEST_BYTES = MOST_DATA_BYTES + 4096, /* the headers in front of the data of a write */
    ROOT = FUSE_ROOT_ID,
    FILE_ID = 2,
};

static const char name[] = "file";
static int backing, valid_s;
static const char *directory;

static void die(const char *what)
{
    fprintf(stderr, "fuse: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* A reply that cannot be written belongs to a request that the kernel has given up: nothing is left to do. */
static void reply(int device, uint64_t unique, int error, const void *data, size_t length)
{
    struct fuse_out_header header = { .len = sizeof header + length, .error = -error, .unique = unique };
    struct iovec parts[] = { { &header, sizeof header }, { (void *)data, length } };

    if (writev(device, parts, length ? 2 : 1) < 0 && errno != ENOENT && errno != ENODEV)
        die("reply");
}

static void attributes_of(uint64_t id, struct fuse_attr *attr)
{
    struct stat status = { .st_size = 0 };

    memset(attr, 0, sizeof *attr);
    attr->ino = id;
    attr->nlink = 1;
    attr->blksize = 4096;
    if (id == ROOT) {
        attr->mode = S_IFDIR | 0755;
        return;
    }
    if (fstat(backing, &status) != 0)
        die("backing file");
    attr->mode = S_IFREG | 0600;
    attr->size = status.st_size;
    attr->blocks = status.st_blocks;
    attr->mtime = status.st_mtim.tv_sec;
    attr->mtimensec = status.st_mtim.tv_nsec;
}

static void initialise(int device, uint64_t unique, const struct fuse_init_in *in)
{
    struct fuse_init_out out = {
        .major = FUSE_KERNEL_VERSION,
        .minor = in->minor < FUSE_KERNEL_MINOR_VERSION ? in->minor : FUSE_KERNEL_MINOR_VERSION,
        .max_readahead = in->max_readahead,
        .flags = in->flags & (FUSE_ASYNC_READ | FUSE_ASYNC_DIO | FUSE_BIG_WRITES | FUSE_MAX_PAGES | FUSE_AUTO_INVAL_DATA),
        .max_write = MOST_DATA_BYTES,
        .max_pages = MOST_DATA_BYTES / 4096,
        .time_gran = 1,
    };

    reply(device, unique, 0, &out, sizeof out);
}

static void look_up(int device, uint64_t unique, const char *wanted)
{
    struct fuse_entry_out out = { .nodeid = FILE_ID, .generation = 1, .entry_valid = valid_s, .attr_valid = valid_s };

    if (strcmp(wanted, name) != 0) {
        reply(device, unique, ENOENT, NULL, 0);
        return;
    }
    attributes_of(FILE_ID, &out.attr);
    reply(device, unique, 0, &out, sizeof out);
}

static void tell_attributes(int device, uint64_t unique, uint64_t id)
{
    struct fuse_attr_out out = { .attr_valid = valid_s };

    attributes_of(id, &out.attr);
    reply(device, unique, 0, &out, sizeof out);
}

static void read_file(int device, uint64_t unique, const struct fuse_read_in *in, void *buffer)
{
    size_t wanted = in->size < MOST_DATA_BYTES ? in->size : MOST_DATA_BYTES;
    ssize_t got = pread(backing, buffer, wanted, in->offset);

    reply(device, unique, got < 0 ? errno : 0, buffer, got < 0 ? 0 : got);
}

static void write_file(int device, uint64_t unique, const struct fuse_write_in *in)
{
    ssize_t taken = pwrite(backing, in + 1, in->size, in->offset);
    struct fuse_write_out out = { .size = taken < 0 ? 0 : taken };

    if (taken < 0)
        reply(device, unique, errno, NULL, 0);
    else
        reply(device, unique, 0, &out, sizeof out);
}

static void serve(int device, const struct fuse_in_header *header, void *buffer)
{
    const void *body = header + 1;
    uint64_t unique = header->unique;

    switch (header->opcode) {
    case FUSE_INIT:
        initialise(device, unique, body);
        return;
    case FUSE_LOOKUP:
        look_up(device, unique, body);
        return;
    case FUSE_GETATTR:
        tell_attributes(device, unique, header->nodeid);
        return;
    case FUSE_SETATTR: {
        const struct fuse_setattr_in *in = body;

        if ((in->valid & FATTR_SIZE) && ftruncate(backing, in->size) != 0)
            reply(device, unique, errno, NULL, 0);
        else
            tell_attributes(device, unique, header->nodeid);
        return;
    }
    case FUSE_OPEN:
    case FUSE_OPENDIR: {
        struct fuse_open_out out = { .open_flags = FOPEN_KEEP_CACHE };

        reply(device, unique, 0, &out, sizeof out);
        return;
    }
    case FUSE_READ:
        read_file(device, unique, body, buffer);
        return;
    case FUSE_WRITE:
        write_file(device, unique, body);
        return;
    case FUSE_FSYNC:
        reply(device, unique, fdatasync(backing) != 0 ? errno : 0, NULL, 0);
        return;
    case FUSE_FLUSH:
    case FUSE_RELEASE:
    case FUSE_RELEASEDIR:
    case FUSE_READDIR: /* the end: the file is reached by its name */
        reply(device, unique, 0, NULL, 0);
        return;
    case FUSE_STATFS: {
        struct fuse_statfs_out out = { .st = { .bsize = 4096, .frsize = 4096, .namelen = 255 } };

        reply(device, unique, 0, &out, sizeof out);
        return;
    }
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT: /* requests without a reply */
        return;
    default:
        reply(device, unique, ENOSYS, NULL, 0);
    }
}

static void *work(void *argument)
{
    int device = *(int *)argument;
    char *request = malloc(REQUEST_BYTES), *buffer = malloc(MOST_DATA_BYTES);

    if (!request || !buffer)
        die("memory");
    for (;;) {
        ssize_t length = read(device, request, REQUEST_BYTES);

        if (length < 0 && errno == ENODEV) /* unmounted */
            exit(0);
        if (length < 0 && errno != EINTR && errno != EAGAIN && errno != ENOENT)
            die("/dev/fuse");
        if (length >= (ssize_t)sizeof(struct fuse_in_header))
            serve(device, (void *)request, buffer);
    }
}

static void unmount(int signal)
{
    (void)signal;
    umount2(directory, MNT_DETACH);
    _exit(0);
}

int main(int argc, char **argv)
{
    int device = open("/dev/fuse", O_RDWR | O_CLOEXEC), threads = argc == 5 ? atoi(argv[3]) : 0;
    pid_t parent = getppid();
    char options[128];
    int *devices;

    if (threads < 1)
        return 2;
    directory = argv[2];
    valid_s = atoi(argv[4]);
    backing = open(argv[1], O_RDWR | O_CLOEXEC);
    if (backing < 0)
        die(argv[1]);
    if (device < 0)
        die("/dev/fuse");
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,default_permissions", device);
    signal(SIGTERM, unmount);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        return 1;
    if (mount("uringaio-bench", directory, "fuse", MS_NOSUID | MS_NODEV, options) != 0)
        die("mount");
    devices = calloc(threads, sizeof *devices);
    for (int i = 0; i < threads; i++) {
        pthread_t thread;
        uint32_t session = device;

        devices[i] = i ? open("/dev/fuse", O_RDWR | O_CLOEXEC) : device;
        if (devices[i] < 0 || (i && ioctl(devices[i], FUSE_DEV_IOC_CLONE, &session) != 0))
            die("clone of /dev/fuse");
        if (pthread_create(&thread, NULL, work, &devices[i]) != 0)
            die("thread");
    }
    printf("ready\n");
    fflush(stdout);
    for (;;)
        pause();
}
