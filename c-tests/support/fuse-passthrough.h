/* A small FUSE server, without libfuse: its file system shows the directory BACKING. It can stand for a disk with a cache:
   then a power failure takes back what was written and not synced (unsynced.h).

   Several threads serve, each on its own clone of /dev/fuse. Directories, regular files, renaming and deleting work; links,
   special files and extended attributes do not. Needs root. Descriptors of files that were seen are kept until the server
   ends. */
#ifndef FUSE_PASSTHROUGH_H
#define FUSE_PASSTHROUGH_H

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>

#include "fuse-reply.h"
#include "unsynced.h"

enum {
    PASSTHROUGH_MOST_DATA_BYTES = 128 * 1024,
    PASSTHROUGH_REQUEST_BYTES = PASSTHROUGH_MOST_DATA_BYTES + 4096, /* the headers in front of the data of a write */
    PASSTHROUGH_MOST_FILES = 16384,
    PASSTHROUGH_SLOW_WRITES = 8,     /* one of so many is slow, where the server forgets, */
    PASSTHROUGH_SLOW_WRITE_US = 300, /* so that what came after it overtakes it */
};

struct passthrough {
    const char *backing;
    int threads;
    int valid_s;        /* how long the kernel may keep attributes */
    uint64_t seed;      /* other than 0: the server forgets on PASSTHROUGH_POWER what was not synced */
    int tears;          /* what it forgets are sectors; otherwise blocks */
    int lies;           /* syncs succeed and do nothing */
    struct unsynced_counts counts;
    atomic_int failed;  /* the power has failed; every request is answered with EIO */
};

/* The signal at which the power fails. */
#define PASSTHROUGH_POWER SIGUSR1

struct passthrough_file {
    int fd;
    ino_t inode;
    int is_directory;
    struct unsynced unsynced;
};

static struct passthrough *passthrough;
/* By node id, from FUSE_ROOT_ID on; the lock is for new ones, for directories and for what is unsynced. */
static struct passthrough_file passthrough_files[PASSTHROUGH_MOST_FILES];
static int passthrough_count = FUSE_ROOT_ID;
static pthread_mutex_t passthrough_lock = PTHREAD_MUTEX_INITIALIZER;

static inline void passthrough_die(const char *what)
{
    fprintf(stderr, "fuse: %s: %s\n", what, strerror(errno));
    _exit(1);
}

static inline void passthrough_attributes(int fd, struct fuse_attr *attr)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        passthrough_die("fstat");
    *attr = (struct fuse_attr){
        .ino = status.st_ino, .size = status.st_size, .blocks = status.st_blocks, .atime = status.st_atim.tv_sec,
        .mtime = status.st_mtim.tv_sec, .ctime = status.st_ctim.tv_sec, .atimensec = status.st_atim.tv_nsec,
        .mtimensec = status.st_mtim.tv_nsec, .ctimensec = status.st_ctim.tv_nsec, .mode = status.st_mode,
        .nlink = status.st_nlink, .uid = status.st_uid, .gid = status.st_gid, .blksize = 4096,
    };
}

/* The node id of the file behind `fd`, which is the server's from then on. */
static inline uint64_t passthrough_node(int fd)
{
    struct stat status;
    struct passthrough_file *file;
    int id;

    if (fstat(fd, &status) != 0)
        passthrough_die("fstat");
    pthread_mutex_lock(&passthrough_lock);
    for (id = FUSE_ROOT_ID; id < passthrough_count; id++) {
        if (passthrough_files[id].inode == status.st_ino)
            break;
    }
    file = &passthrough_files[id];
    if (id < passthrough_count) {
        close(fd);
    } else {
        if (++passthrough_count > PASSTHROUGH_MOST_FILES) {
            errno = ENFILE;
            passthrough_die("files");
        }
        *file = (struct passthrough_file){ .fd = fd, .inode = status.st_ino, .is_directory = S_ISDIR(status.st_mode) };
        unsynced_start(&file->unsynced, fd);
    }
    pthread_mutex_unlock(&passthrough_lock);
    return id;
}

/* Fills in what tells the kernel of the file behind `fd`, or returns an errno. */
static inline int passthrough_entry(int fd, struct fuse_entry_out *out)
{
    *out = (struct fuse_entry_out){ .generation = 1, .entry_valid = passthrough->valid_s, .attr_valid = passthrough->valid_s };
    if (fd < 0)
        return errno;
    passthrough_attributes(fd, &out->attr);
    out->nodeid = passthrough_node(fd);
    return 0;
}

static inline int passthrough_open(int directory, const char *name)
{
    int fd = openat(directory, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

    return fd < 0 && errno == EISDIR ? openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : fd;
}

static inline int passthrough_set(struct passthrough_file *file, const struct fuse_setattr_in *in)
{
    int fd = file->fd;
    struct timespec times[2] = {
        { in->atime, in->valid & FATTR_ATIME_NOW ? UTIME_NOW : in->valid & FATTR_ATIME ? (long)in->atimensec : UTIME_OMIT },
        { in->mtime, in->valid & FATTR_MTIME_NOW ? UTIME_NOW : in->valid & FATTR_MTIME ? (long)in->mtimensec : UTIME_OMIT },
    };

    if ((in->valid & FATTR_MODE) && fchmod(fd, in->mode & 07777) != 0)
        return errno;
    if ((in->valid & (FATTR_UID | FATTR_GID)) &&
        fchown(fd, in->valid & FATTR_UID ? in->uid : (uid_t)-1, in->valid & FATTR_GID ? in->gid : (gid_t)-1) != 0)
        return errno;
    if ((in->valid & FATTR_SIZE) && ftruncate(fd, in->size) != 0)
        return errno;
    if (in->valid & FATTR_SIZE)
        unsynced_truncated(&file->unsynced, in->size);
    return futimens(fd, times) != 0 ? errno : 0;
}

static inline void passthrough_write(int dev, uint64_t unique, struct passthrough_file *file, const struct fuse_write_in *in,
                                     int is_slow)
{
    struct fuse_write_out out = { 0 };
    ssize_t taken;

    if (!passthrough->seed) {
        taken = pwrite(file->fd, in + 1, in->size, in->offset);
    } else {
        if (is_slow)
            nanosleep(&(struct timespec){ 0, PASSTHROUGH_SLOW_WRITE_US * 1000 }, NULL);
        pthread_mutex_lock(&passthrough_lock);
        errno = EIO;
        taken = -1;
        if (!atomic_load(&passthrough->failed)) {
            unsynced_before_write(&file->unsynced, file->fd, in->size, in->offset);
            taken = pwrite(file->fd, in + 1, in->size, in->offset);
            if (taken > 0 && (in->flags & O_SYNC) && !passthrough->lies) /* O_SYNC has the bit of O_DSYNC */
                unsynced_written_through(&file->unsynced, (const void *)(in + 1), taken, in->offset);
        }
        pthread_mutex_unlock(&passthrough_lock);
    }
    out.size = taken < 0 ? 0 : taken;
    fuse_reply(dev, unique, taken < 0 ? errno : 0, &out, sizeof out);
}

static inline int passthrough_sync(struct passthrough_file *file)
{
    int error;

    if (!passthrough->seed)
        return fdatasync(file->fd) != 0 ? errno : 0;
    pthread_mutex_lock(&passthrough_lock);
    error = atomic_load(&passthrough->failed) ? EIO : 0;
    if (!error && !passthrough->lies)
        unsynced_sync(&file->unsynced, file->fd);
    pthread_mutex_unlock(&passthrough_lock);
    return error;
}

static inline void passthrough_list(int dev, uint64_t unique, int fd, const struct fuse_read_in *in)
{
    static char from[16384], to[sizeof from]; /* under the lock */
    size_t most = in->size < sizeof to ? in->size : sizeof to, length = 0;
    long got;

    pthread_mutex_lock(&passthrough_lock);
    lseek(fd, in->offset, SEEK_SET);
    got = syscall(SYS_getdents64, fd, from, sizeof from);
    for (long at = 0; at < got;) {
        const struct dirent64 *entry = (const void *)(from + at);
        struct fuse_dirent head = { .ino = entry->d_ino, .off = entry->d_off, .namelen = strlen(entry->d_name), .type = entry->d_type };
        size_t size = FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + head.namelen);

        if (length + size > most)
            break;
        memset(to + length, 0, size);
        memcpy(to + length, &head, FUSE_NAME_OFFSET);
        memcpy(to + length + FUSE_NAME_OFFSET, entry->d_name, head.namelen);
        length += size;
        at += entry->d_reclen;
    }
    fuse_reply(dev, unique, got < 0 ? EIO : 0, to, length);
    pthread_mutex_unlock(&passthrough_lock);
}

/* Requests that change names: 0 or an errno. */
static inline int passthrough_rename(int fd, int opcode, const void *body)
{
    const struct fuse_rename2_in *in = body; /* the shorter form begins in the same way */
    const char *from = (const char *)body + (opcode == FUSE_RENAME ? sizeof(struct fuse_rename_in) : sizeof *in);
    unsigned flags = opcode == FUSE_RENAME ? 0 : in->flags;

    return renameat2(fd, from, passthrough_files[in->newdir].fd, from + strlen(from) + 1, flags) != 0 ? errno : 0;
}

static inline void passthrough_create(int dev, uint64_t unique, int directory, const struct fuse_create_in *in)
{
    struct {
        struct fuse_entry_out entry;
        struct fuse_open_out open;
    } out = { .open.open_flags = FOPEN_KEEP_CACHE };
    int fd = openat(directory, (const char *)(in + 1), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | (in->flags & O_EXCL), in->mode);
    int error = passthrough_entry(fd, &out.entry);

    fuse_reply(dev, unique, error, &out, sizeof out);
}

static inline void passthrough_serve(int dev, const struct fuse_in_header *header, void *buffer, int is_slow)
{
    struct passthrough_file *file = &passthrough_files[header->nodeid];
    const void *body = header + 1;
    uint64_t unique = header->unique;
    int fd = file->fd, error = 0;

    if (atomic_load(&passthrough->failed) && header->opcode != FUSE_FORGET && header->opcode != FUSE_BATCH_FORGET &&
        header->opcode != FUSE_INTERRUPT) {
        fuse_reply(dev, unique, EIO, NULL, 0);
        return;
    }
    switch (header->opcode) {
    case FUSE_INIT: {
        const struct fuse_init_in *in = body;
        struct fuse_init_out out = {
            .major = FUSE_KERNEL_VERSION,
            .minor = in->minor < FUSE_KERNEL_MINOR_VERSION ? in->minor : FUSE_KERNEL_MINOR_VERSION,
            .max_readahead = in->max_readahead,
            .flags = in->flags & (FUSE_ASYNC_READ | FUSE_ASYNC_DIO | FUSE_BIG_WRITES | FUSE_MAX_PAGES | FUSE_AUTO_INVAL_DATA),
            .max_write = PASSTHROUGH_MOST_DATA_BYTES,
            .max_pages = PASSTHROUGH_MOST_DATA_BYTES / 4096,
            .time_gran = 1,
        };

        fuse_reply(dev, unique, 0, &out, sizeof out);
        return;
    }
    case FUSE_LOOKUP: {
        struct fuse_entry_out out;

        error = passthrough_entry(passthrough_open(fd, body), &out);
        fuse_reply(dev, unique, error, &out, sizeof out);
        return;
    }
    case FUSE_MKDIR: {
        const struct fuse_mkdir_in *in = body;
        const char *name = (const char *)(in + 1);
        struct fuse_entry_out out;

        error = mkdirat(fd, name, in->mode) != 0 ? errno : passthrough_entry(passthrough_open(fd, name), &out);
        fuse_reply(dev, unique, error, &out, sizeof out);
        return;
    }
    case FUSE_CREATE:
        passthrough_create(dev, unique, fd, body);
        return;
    case FUSE_SETATTR:
    case FUSE_GETATTR: {
        struct fuse_attr_out out = { .attr_valid = passthrough->valid_s };

        if (header->opcode == FUSE_SETATTR) {
            pthread_mutex_lock(&passthrough_lock);
            error = passthrough_set(file, body);
            pthread_mutex_unlock(&passthrough_lock);
        }
        passthrough_attributes(fd, &out.attr);
        fuse_reply(dev, unique, error, &out, sizeof out);
        return;
    }
    case FUSE_OPEN:
    case FUSE_OPENDIR: {
        struct fuse_open_out out = { .open_flags = header->opcode == FUSE_OPEN ? FOPEN_KEEP_CACHE : 0 };

        fuse_reply(dev, unique, 0, &out, sizeof out);
        return;
    }
    case FUSE_READDIR:
        passthrough_list(dev, unique, fd, body);
        return;
    case FUSE_READ: {
        const struct fuse_read_in *in = body;
        ssize_t got = pread(fd, buffer, in->size < PASSTHROUGH_MOST_DATA_BYTES ? in->size : PASSTHROUGH_MOST_DATA_BYTES, in->offset);

        fuse_reply(dev, unique, got < 0 ? errno : 0, buffer, got < 0 ? 0 : got);
        return;
    }
    case FUSE_WRITE:
        passthrough_write(dev, unique, file, body, is_slow);
        return;
    case FUSE_FALLOCATE: {
        const struct fuse_fallocate_in *in = body;

        pthread_mutex_lock(&passthrough_lock);
        if (in->mode & ~FALLOC_FL_KEEP_SIZE)
            error = EOPNOTSUPP;
        else if (fallocate(fd, in->mode, in->offset, in->length) != 0)
            error = errno;
        else if (!(in->mode & FALLOC_FL_KEEP_SIZE) && (off_t)(in->offset + in->length) > file->unsynced.size_on_disk)
            file->unsynced.size_on_disk = in->offset + in->length;
        pthread_mutex_unlock(&passthrough_lock);
        break;
    }
    case FUSE_FSYNC:
        error = passthrough_sync(file);
        break;
    case FUSE_UNLINK:
    case FUSE_RMDIR:
        error = unlinkat(fd, body, header->opcode == FUSE_RMDIR ? AT_REMOVEDIR : 0) != 0 ? errno : 0;
        break;
    case FUSE_RENAME:
    case FUSE_RENAME2:
        error = passthrough_rename(fd, header->opcode, body);
        break;
    case FUSE_FLUSH:
    case FUSE_RELEASE:
    case FUSE_RELEASEDIR:
    case FUSE_FSYNCDIR:
        break;
    case FUSE_STATFS: {
        struct fuse_statfs_out out = { .st = { .bsize = 4096, .frsize = 4096, .namelen = 255 } };
        struct statvfs status;

        if (fstatvfs(fd, &status) == 0) {
            uint64_t unit = status.f_frsize;

            out.st = (struct fuse_kstatfs){ .blocks = status.f_blocks, .bfree = status.f_bfree, .bavail = status.f_bavail, .files = status.f_files,
                                            .ffree = status.f_ffree, .bsize = unit, .frsize = unit, .namelen = 255 };
        }
        fuse_reply(dev, unique, 0, &out, sizeof out);
        return;
    }
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT: /* requests without an answer */
        return;
    default:
        error = ENOSYS;
    }
    fuse_reply(dev, unique, error, NULL, 0);
}

static inline void *passthrough_work(void *argument)
{
    int dev = *(int *)argument;
    char *request = malloc(PASSTHROUGH_REQUEST_BYTES), *buffer = malloc(PASSTHROUGH_MOST_DATA_BYTES);
    uint64_t seed = passthrough->seed + dev;

    if (!request || !buffer)
        passthrough_die("memory");
    for (;;) {
        ssize_t length = read(dev, request, PASSTHROUGH_REQUEST_BYTES);

        if (length < 0 && errno == ENODEV) /* unmounted */
            _exit(0);
        if (length < 0 && errno != EINTR && errno != EAGAIN && errno != ENOENT)
            passthrough_die("/dev/fuse");
        if (length >= (ssize_t)sizeof(struct fuse_in_header))
            passthrough_serve(dev, (void *)request, buffer, unsynced_random(&seed) % PASSTHROUGH_SLOW_WRITES == 0);
    }
}

static inline void passthrough_power_fails(void)
{
    pthread_mutex_lock(&passthrough_lock);
    for (int id = FUSE_ROOT_ID; id < passthrough_count; id++) {
        struct passthrough_file *file = &passthrough_files[id];

        if (!file->is_directory)
            unsynced_power_fails(&file->unsynced, file->fd, passthrough->tears, &passthrough->seed, &passthrough->counts);
    }
    atomic_store(&passthrough->failed, 1);
    pthread_mutex_unlock(&passthrough_lock);
}

/* Mounts a file system on `directory`: a descriptor of /dev/fuse for passthrough_run, or -1 and errno. */
static inline int passthrough_mount(const char *directory)
{
    int dev = open("/dev/fuse", O_RDWR | O_CLOEXEC), error;
    char options[128];

    if (dev < 0)
        return -1;
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,default_permissions,allow_other", dev);
    if (mount("uringaio-passthrough", directory, "fuse", MS_NOSUID | MS_NODEV, options) != 0) {
        error = errno;
        close(dev);
        errno = error;
        return -1;
    }
    return dev;
}

/* Serves what was mounted, until SIGTERM or until it is unmounted. `ready` is called when the threads serve, `power_failed`
   after each failure of the power. */
static inline void passthrough_run(struct passthrough *what, int dev, void (*ready)(void), void (*power_failed)(void))
{
    struct rlimit files = { PASSTHROUGH_MOST_FILES + 64, PASSTHROUGH_MOST_FILES + 64 };
    int *devices = calloc(what->threads, sizeof *devices), number;
    uint32_t session = dev;
    pthread_t thread;
    sigset_t signals;

    passthrough = what;
    umask(0);
    setrlimit(RLIMIT_NOFILE, &files);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, PASSTHROUGH_POWER);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    passthrough_node(open(what->backing, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (int i = 0; i < what->threads; i++) {
        devices[i] = i ? open("/dev/fuse", O_RDWR | O_CLOEXEC) : dev;
        if (devices[i] < 0 || (i && ioctl(devices[i], FUSE_DEV_IOC_CLONE, &session) != 0))
            passthrough_die("clone of /dev/fuse");
        if (pthread_create(&thread, NULL, passthrough_work, &devices[i]) != 0)
            passthrough_die("thread");
    }
    if (ready)
        ready();
    while (sigwait(&signals, &number) == 0 && number != SIGTERM) {
        passthrough_power_fails();
        if (power_failed)
            power_failed();
    }
}

#endif
