/* What the programs power-failure-* share; each face has a table of ways to make records durable.

   A disk with a cache (a FUSE file system of the test's own) loses its power at a random moment, while threads of a worker
   process write numbered records and have them made durable in one way or another. What was promised is noted in memory
   that outlives the worker. Then each sector of each file is looked at: it must hold the record that was promised last, or
   one that was submitted after it. So nothing promised is lost, and what is torn was not promised.

   At the end the same is done on a disk that lies about syncs. There the check must find a loss.

   Arguments: rounds (2 without it), seed. */
#ifndef POWER_FAILURE_H
#define POWER_FAILURE_H

#include "behaviour.h"
#include "ext4-image.h"
#include "fuse-passthrough.h"

enum {
    FILES = 6,                 /* each with a thread of its own */
    RECORDS = 48,              /* of a file */
    RECORD_BYTES = 8192,
    SECTORS = RECORD_BYTES / UNSYNCED_SECTOR_BYTES,
    MOST_IN_BATCH = 8,
    SERVERS = 4,
};

struct batch {
    int fd, other_fd;          /* two descriptors of the file */
    int count;
    unsigned char *data[MOST_IN_BATCH];
    off_t offset[MOST_IN_BATCH];
};

/* A way to have records made durable: writes the batch and returns 0 when all of it has been promised, or an errno. */
struct way {
    const char *name;
    int open_flags;
    int (*make_durable)(struct batch *batch);
};

struct sector {
    uint32_t round, file, record, number, index;
    uint32_t sum;
    uint32_t fill[UNSYNCED_SECTOR_BYTES / 4 - 6];
};
_Static_assert(sizeof(struct sector) == UNSYNCED_SECTOR_BYTES, "a sector");

/* Shared by the test, the worker and the server. The number of a record counts its writes. */
static struct {
    atomic_uint submitted[FILES][RECORDS], promised[FILES][RECORDS];
    atomic_int promises;
    atomic_int power_is_off;
    struct passthrough disk;
} *shared;

static struct {
    uint32_t round;
    uint64_t seed;
    int on_ext4;
    const struct way *ways;
    int way_count;
    char *backing, *image, *disk, *ext4;
    int first_mounts; /* the mount namespace that the test came from */
    pid_t server;
    /* Over all rounds: sectors promised, blocks that were not synced and what became of them. */
    long long promises;
    struct unsynced_counts counts;
} test;

/* The ways of a round: every file has the next one; O_DIRECT in every other turn. */
static inline const struct way *way_of(int file)
{
    return &test.ways[(test.round * FILES + file) % test.way_count];
}

static inline int is_direct(int file)
{
    return (test.round * FILES + file) / test.way_count % 2;
}

static inline const char *file_path(int file)
{
    static __thread char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%u-%d", test.on_ext4 ? test.ext4 : test.disk, test.round, file);
    return path;
}

/* --- records ---------------------------------------------------------------------------------------------------- */

static inline void make_sector(struct sector *sector, int file, int record, uint32_t number, int index)
{
    uint32_t sum = 0;

    *sector = (struct sector){ .round = test.round, .file = file, .record = record, .number = number, .index = index };
    for (size_t i = 0; i < sizeof sector->fill / sizeof sector->fill[0]; i++) {
        sector->fill[i] = (number * 2654435761u + i * 40503u) ^ (record << 20 | file << 8 | index);
        sum = sum * 31 + sector->fill[i];
    }
    sector->sum = sum;
}

/* The number of the record that this sector is of; 0 where nothing was ever written, -1 for anything else. */
static inline long number_of(const struct sector *sector, int file, int record, int index)
{
    static const struct sector nothing;
    struct sector wanted;

    if (memcmp(sector, &nothing, sizeof nothing) == 0)
        return 0;
    make_sector(&wanted, file, record, sector->number, index);
    return memcmp(sector, &wanted, sizeof wanted) == 0 ? (long)sector->number : -1;
}

/* --- the worker ------------------------------------------------------------------------------------------------- */

static struct batch batches[FILES];

static inline void *work(void *argument)
{
    int file = (int)(intptr_t)argument, error;
    struct batch *batch = &batches[file];
    const struct way *way = way_of(file);
    uint64_t seed = test.seed + file + 1;

    for (int turn = 0;; turn++) {
        int limit = 8 + turn < RECORDS ? 8 + turn : RECORDS, first = unsynced_random(&seed) % limit;

        batch->count = 1 + unsynced_random(&seed) % MOST_IN_BATCH;
        for (int i = 0; i < batch->count; i++) {
            int record = (first + i) % limit;
            uint32_t number = atomic_fetch_add(&shared->submitted[file][record], 1) + 1;

            batch->offset[i] = (off_t)record * RECORD_BYTES;
            for (int index = 0; index < SECTORS; index++)
                make_sector((struct sector *)batch->data[i] + index, file, record, number, index);
        }
        error = way->make_durable(batch);
        if (error && atomic_load(&shared->power_is_off))
            return NULL;
        if (error)
            FAIL("%s: %s", way->name, strerror(error));
        for (int i = 0; i < batch->count; i++) {
            int record = (first + i) % limit;

            atomic_store(&shared->promised[file][record], atomic_load(&shared->submitted[file][record]));
        }
        atomic_fetch_add(&shared->promises, batch->count);
    }
}

static inline void run_worker(void)
{
    pthread_t threads[FILES];

    for (int file = 0; file < FILES; file++) {
        int flags = O_RDWR | O_CLOEXEC | way_of(file)->open_flags | (is_direct(file) ? O_DIRECT : 0);

        batches[file].fd = MUST(open(file_path(file), flags));
        batches[file].other_fd = MUST(open(file_path(file), O_RDWR | O_CLOEXEC));
        for (int i = 0; i < MOST_IN_BATCH; i++)
            batches[file].data[i] = new_pages(RECORD_BYTES);
    }
    for (int file = 0; file < FILES; file++)
        CHECK_INT(pthread_create(&threads[file], NULL, work, (void *)(intptr_t)file), 0);
    for (int file = 0; file < FILES; file++)
        CHECK_INT(pthread_join(threads[file], NULL), 0);
    for (;;)
        pause();
}

/* --- the disk --------------------------------------------------------------------------------------------------- */

static inline void disk_on(void)
{
    int dev;

    shared->disk = (struct passthrough){ .backing = test.backing, .threads = SERVERS, .valid_s = 1, .seed = test.seed, .tears = 1 };
    if ((dev = passthrough_mount(test.disk)) == -1)
        SKIP("no FUSE here: %s", strerror(errno));
    test.server = fork_child();
    if (test.server == 0) {
        /* It must not be what ends the test's mounts when it is ended: they need it until they are gone. */
        MUST(setns(test.first_mounts, CLONE_NEWNS));
        passthrough_run(&shared->disk, dev, NULL, NULL);
        END_PROCESS(0);
    }
    close(dev);
}

/* What is mounted there has no users any more, or will have none in a moment. */
static inline void unmount(const char *path)
{
    int ret;

    WAIT_UNTIL((ret = umount2(path, 0)) == 0 || (errno != EBUSY && errno != EINTR));
    if (ret == -1)
        FAIL("%s: %s", path, strerror(errno));
}

static inline void disk_off(void)
{
    unmount(test.disk);
    await_child(test.server);
}

/* --- a round ---------------------------------------------------------------------------------------------------- */

static inline void make_files(void)
{
    int dir, fd;

    for (int file = 0; file < FILES; file++) {
        fd = MUST(open(file_path(file), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        MUST(fsync(fd));
        close(fd);
    }
    dir = MUST(open(test.on_ext4 ? test.ext4 : test.disk, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    MUST(fsync(dir));
    close(dir);
}

/* How many sectors do not hold what was promised; the first is told. */
static inline int losses(void)
{
    static struct sector sectors[SECTORS];
    int lost = 0;

    for (int file = 0; file < FILES; file++) {
        int fd = open(file_path(file), O_RDONLY | O_CLOEXEC);

        if (fd == -1)
            SAY("%s: %s", file_path(file), strerror(errno));
        for (int record = 0; record < RECORDS; record++) {
            unsigned promised = atomic_load(&shared->promised[file][record]), submitted = atomic_load(&shared->submitted[file][record]);

            memset(sectors, 0, sizeof sectors);
            /* What lies past the end was never written. */
            if (fd == -1 || pread(fd, sectors, sizeof sectors, (off_t)record * RECORD_BYTES) == -1)
                memset(sectors, -1, sizeof sectors);
            for (int index = 0; index < SECTORS; index++) {
                long number = number_of(&sectors[index], file, record, index);

                if (number >= (long)promised && number <= (long)submitted)
                    continue;
                if (lost++ == 0)
                    SAY("round %u: %s%s: file %d, record %d, sector %d has number %ld; promised %u, submitted %u", test.round,
                        way_of(file)->name, is_direct(file) ? ", O_DIRECT" : "", file, record, index, number, promised, submitted);
            }
        }
        if (fd != -1)
            close(fd);
        unlink(file_path(file));
    }
    return lost;
}

/* One failure of the power, after so many promises; how many sectors were lost. */
static inline int one_failure(int after, int lies)
{
    pid_t worker, ended;
    int lost, status, mounted;

    memset(shared, 0, sizeof *shared);
    disk_on();
    if (test.on_ext4)
        MUST(ext4_image_mount(test.image, test.ext4));
    make_files();
    shared->disk.lies = lies;
    worker = fork_child();
    if (worker == 0)
        run_worker();
    WAIT_UNTIL((ended = waitpid(worker, &status, WNOHANG)) != 0 || atomic_load(&shared->promises) >= after);
    if (ended != 0)
        FAIL("the worker has ended, wait status %#x", status);
    atomic_store(&shared->power_is_off, 1);
    MUST(kill(test.server, PASSTHROUGH_POWER));
    WAIT_UNTIL(atomic_load(&shared->disk.failed));
    MUST(kill(worker, SIGKILL));
    status = await_child(worker);
    if (WIFEXITED(status))
        FAIL("the worker ended with status %d", WEXITSTATUS(status));
    if (test.on_ext4)
        unmount(test.ext4);
    disk_off();
    test.promises += atomic_load(&shared->promises);
    test.counts.kept += shared->disk.counts.kept;
    test.counts.dropped += shared->disk.counts.dropped;
    test.counts.torn += shared->disk.counts.torn;

    disk_on();
    mounted = !test.on_ext4 || ext4_image_mount(test.image, test.ext4) == 0;
    if (!mounted)
        SAY("the file system cannot be mounted: %s", strerror(errno));
    lost = mounted ? losses() : 1;
    if (mounted && test.on_ext4)
        unmount(test.ext4);
    disk_off();
    return lost;
}

static inline int power_failures(int argc, char **argv, int on_ext4, const struct way *ways, int way_count)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 2;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)now_ns() | 1;

    start_deadline();
    if (geteuid() != 0)
        SKIP("only root can mount");
    shared = new_shared(sizeof *shared);
    test.on_ext4 = on_ext4;
    test.ways = ways;
    test.way_count = way_count;
    test.image = test_path("disk/image");
    test.disk = test_path("disk");
    test.ext4 = test_path("ext4");
    MUST(mkdir(test_path("backing"), 0755));
    test.backing = realpath(test_path("backing"), NULL);
    CHECK(test.backing != NULL);
    MUST(mkdir(test.disk, 0755));
    MUST(mkdir(test.ext4, 0755));
    test.first_mounts = MUST(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
    if (unshare(CLONE_NEWNS) == -1 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
        SKIP("no mount namespace of its own: %s", strerror(errno));
    if (on_ext4)
        ext4_image_make(test_path("backing/image"));
    SAY("seed %llu", (unsigned long long)seed);
    for (int round = 0; round <= rounds; round++) {
        int lies = round == rounds, lost;

        test.round++;
        test.seed = unsynced_random(&seed) | 1;
        lost = one_failure(30 + unsynced_random(&seed) % 300, lies);
        if (lies && lost == 0)
            FAIL("nothing was lost on a disk that lies: the check is blind");
        if (!lies && lost)
            FAIL("round %d of %d: %d sectors lost", round + 1, rounds, lost);
    }
    SAY("%lld records promised; blocks not synced: %d kept, %d dropped, %d torn", test.promises, test.counts.kept,
        test.counts.dropped, test.counts.torn);
    return 0;
}

#endif
