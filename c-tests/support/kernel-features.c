/* Says what the running kernel has of what the library makes use of, each found by trying it, and, run with the library
   preloaded, what serves and what of that is to be seen in the descriptor table. One line each: FEATURE, what, how. */
#include <aio.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Younger than the headers of some systems; numbers from linux/io_uring.h. */
enum {
    SETUP_R_DISABLED = 1 << 6,
    SETUP_SUBMIT_ALL = 1 << 7,
    SETUP_COOP_TASKRUN = 1 << 8,
    SETUP_SINGLE_ISSUER = 1 << 12,
    SETUP_DEFER_TASKRUN = 1 << 13,
    SETUP_NO_MMAP = 1 << 14,
    SETUP_NO_SQARRAY = 1 << 16,
    FEAT_EXT_ARG = 1 << 8,
    FEAT_NO_IOWAIT = 1 << 17,
    REGISTER_FILES2 = 13,
    REGISTER_WORKERS = 19,
    REGISTER_RING_FDS = 20,
    FILES_SPARSE = 1,
    OP_FUTEX_WAIT = 51,
};
#define USE_REGISTERED_RING (1u << 31)

static void say(const char *what, int good)
{
    printf("FEATURE\t%s\t%s\n", what, good ? "yes" : "no");
}

static int ring(unsigned flags, struct io_uring_params *parameters)
{
    memset(parameters, 0, sizeof *parameters);
    parameters->flags = flags;
    return (int)syscall(SYS_io_uring_setup, 8, parameters);
}

static int has_flags(unsigned flags)
{
    struct io_uring_params parameters;
    int fd = ring(flags, &parameters);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static long registers(int fd, unsigned operation, void *argument, unsigned count)
{
    return syscall(SYS_io_uring_register, fd, operation, argument, count);
}

static int has_restrictions(void)
{
    struct io_uring_params parameters;
    struct io_uring_restriction only = { .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_READ };
    int fd = ring(SETUP_R_DISABLED, &parameters);
    int good = fd >= 0 && registers(fd, IORING_REGISTER_RESTRICTIONS, &only, 1) == 0;

    if (fd >= 0)
        close(fd);
    return good;
}

/* A ring in memory of the caller's, of more pages than need to lie beside each other. */
static int has_no_mmap(void)
{
    long page = sysconf(_SC_PAGESIZE), length = 16 * page;
    struct io_uring_params parameters = { .flags = SETUP_NO_MMAP | SETUP_NO_SQARRAY };
    char *room = mmap(NULL, 2 * (size_t)length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    uint64_t rings = (uintptr_t)room, entries = (uintptr_t)room + (uintptr_t)length;

    memcpy((char *)&parameters.cq_off + sizeof parameters.cq_off - sizeof rings, &rings, sizeof rings);
    memcpy((char *)&parameters.sq_off + sizeof parameters.sq_off - sizeof entries, &entries, sizeof entries);
    int fd = (int)syscall(SYS_io_uring_setup, page / 4, &parameters);
    if (fd >= 0)
        close(fd);
    munmap(room, 2 * (size_t)length);
    return fd >= 0;
}

static int has_operation(int fd, int operation)
{
    struct io_uring_probe *probe = calloc(1, sizeof *probe + 256 * sizeof probe->ops[0]);
    int good = probe && registers(fd, IORING_REGISTER_PROBE, probe, 256) == 0 && probe->last_op >= operation &&
               probe->ops[operation].flags & IO_URING_OP_SUPPORTED;

    free(probe);
    return good;
}

static void look_at_rings(void)
{
    struct io_uring_params parameters;
    int fd = ring(0, &parameters);
    uint32_t workers[2] = { 0, 0 };
    struct {
        uint32_t offset, reserved;
        uint64_t fd;
    } itself = { UINT32_MAX, 0, (uint64_t)fd };
    struct {
        uint32_t count, flags;
        uint64_t reserved, data, tags;
    } sparse = { 4, FILES_SPARSE, 0, 0, 0 };

    say("io_uring (5.1)", fd >= 0);
    say("restrictions (5.10)", has_restrictions());
    say("a time limit to a wait, EXT_ARG (5.11)", fd >= 0 && parameters.features & FEAT_EXT_ARG);
    say("bounded workers (5.15)", registers(fd, REGISTER_WORKERS, workers, 2) == 0);
    say("SUBMIT_ALL (5.18)", has_flags(SETUP_SUBMIT_ALL));
    long registered = registers(fd, REGISTER_RING_FDS, &itself, 1);
    say("registered ring, to enter (5.18)", registered == 1);
    say("COOP_TASKRUN (5.19)", has_flags(SETUP_COOP_TASKRUN));
    say("sparse file table (5.19)", registers(fd, REGISTER_FILES2, &sparse, sizeof sparse) == 0);
    say("SINGLE_ISSUER (6.0)", has_flags(SETUP_SINGLE_ISSUER));
    say("DEFER_TASKRUN (6.1)", has_flags(SETUP_SINGLE_ISSUER | SETUP_DEFER_TASKRUN));
    struct io_uring_probe *probe = calloc(1, sizeof *probe + 256 * sizeof probe->ops[0]);
    say("registered ring, to register with (6.3)",
        registered == 1 && registers((int)itself.offset, IORING_REGISTER_PROBE | USE_REGISTERED_RING, probe, 256) == 0);
    free(probe);
    say("FUTEX_WAIT (6.7)", has_operation(fd, OP_FUTEX_WAIT));
    say("NO_MMAP in more than one page (6.10)", has_no_mmap());
    say("NO_IOWAIT (6.15)", fd >= 0 && parameters.features & FEAT_NO_IOWAIT);
}

static void look_at_the_rest(void)
{
    char byte;
    struct iovec one = { &byte, 1 };
    int fd = open(".", O_TMPFILE | O_RDWR, 0600);

    if (fd < 0 || pwrite(fd, "x", 1, 0) != 1)
        return;
    say("reads without waiting on this file system, RWF_NOWAIT", preadv2(fd, &one, 1, 0, RWF_NOWAIT) == 1);
    say("writes without waiting on this file system, RWF_NOWAIT", pwritev2(fd, &one, 1, 0, RWF_NOWAIT) == 1);
    int ends[2];
    if (pipe(ends) == 0)
        say("pipes without waiting, RWF_NOWAIT (6.5)", preadv2(ends[0], &one, 1, -1, RWF_NOWAIT) == -1 && errno == EAGAIN);
    syscall(SYS_pidfd_getfd, -1, 0, 0);
    say("pidfd_getfd (5.6)", errno == EBADF);
    syscall(SYS_pidfd_open, INT32_MAX, O_EXCL);
    say("a pidfd for a thread (6.9)", errno == ESRCH);
}

/* What has come into the descriptor table since `before`. */
static void look_at_descriptors(const char *before)
{
    DIR *directory = opendir("/proc/self/fd");
    struct dirent *entry;
    int found = 0;

    printf("FEATURE\tdescriptors to be seen\t");
    while (directory && (entry = readdir(directory))) {
        int fd = atoi(entry->d_name);
        char path[64], target[64] = "";

        if (entry->d_name[0] == '.' || fd == dirfd(directory) || (fd < 1024 && before[fd]))
            continue;
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (readlink(path, target, sizeof target - 1) < 0)
            continue;
        printf("%s%d %s", found++ ? ", " : "", fd, target);
    }
    printf("%s\n", found ? "" : "none");
    closedir(directory);
}

static void use_both_faces(void)
{
    static char before[1024];
    struct aiocb cb;
    const struct aiocb *list[] = { &cb };
    int fd = open(".", O_TMPFILE | O_RDWR, 0600);
    void *context = NULL;
    int (*setup)(int, void **) = (int (*)(int, void **))dlsym(RTLD_DEFAULT, "io_setup");

    for (int i = 0; i < 1024; i++)
        before[i] = fcntl(i, F_GETFD) != -1;
    memset(&cb, 0, sizeof cb);
    cb.aio_fildes = fd;
    cb.aio_sigevent.sigev_notify = SIGEV_NONE;
    if (aio_fsync(O_SYNC, &cb) == 0)
        while (aio_error(&cb) == EINPROGRESS)
            aio_suspend(list, 1, NULL);
    /* A context of the kernel's own has a mapping that is called so. */
    if (setup && setup(8, &context) == 0) {
        FILE *maps = fopen("/proc/self/maps", "re");
        char line[512];
        int kernels = 0;

        while (maps && fgets(line, sizeof line, maps))
            kernels |= strstr(line, "/[aio]") != NULL;
        printf("FEATURE\tlibaio is served by\t%s\n", kernels ? "the kernel's AIO" : "the same");
        if (maps)
            fclose(maps);
    }
    look_at_descriptors(before);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--in-use") == 0) {
        use_both_faces();
        return 0;
    }
    printf("FEATURE\tsize of a page\t%ld KiB\n", sysconf(_SC_PAGESIZE) / 1024);
    look_at_rings();
    look_at_the_rest();
    return 0;
}
