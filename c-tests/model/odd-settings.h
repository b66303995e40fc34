/* What the random comparisons run in: where the files lie, how long one may be, and what SIGXFSZ does. */
#ifndef ODD_SETTINGS_H
#define ODD_SETTINGS_H

#include "fuse-passthrough.h"
#include "odd-threads.h"
#include "process.h"

#define FUSE_SERVERS 4

struct settings {
    int on_fuse;
    int valid_s; /* how long the kernel may keep attributes there */
    rlim_t most_bytes;
    int catches; /* SIGXFSZ has a handler, which must not be called: glibc blocks it where it writes */
};

/* A file starts with CONTENT bytes, and is cut back to them. */
static const rlim_t limits[] = { CONTENT, CONTENT + 1, CONTENT + 100, CONTENT + 4096, 24576, 32768, MOST_BYTES };

static inline struct settings draw_settings(int on_fuse)
{
    struct settings s = { .on_fuse = on_fuse, .valid_s = (int)draw(2) };

    s.most_bytes = ONE_OF(limits);
    s.catches = draw(2);
    return s;
}

static inline void over_limit(int number)
{
    FAIL("signal %d in a thread of the program's", number);
}

/* A file system of our own below the test's directory, where its files lie from now on. Returns 0 if there is no FUSE here. */
static inline int move_to_fuse(int valid_s)
{
    static struct passthrough disk;
    char *directory = test_path("fuse"), *backing = test_path("backing");
    int dev, first_mounts = MUST(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));

    MUST(mkdir(directory, 0755));
    MUST(mkdir(backing, 0755));
    disk = (struct passthrough){ .backing = realpath(backing, NULL), .threads = FUSE_SERVERS, .valid_s = valid_s };
    if (unshare(CLONE_NEWNS) == -1 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == -1 ||
        (dev = passthrough_mount(directory)) == -1) {
        SAY("not on FUSE: %s", strerror(errno));
        return 0;
    }
    if (fork_child() == 0) {
        /* It ends when the mount does, with this process. It must not be what keeps the mount. */
        MUST(setns(first_mounts, CLONE_NEWNS));
        passthrough_run(&disk, dev, NULL, NULL);
        END_PROCESS(0);
    }
    close(dev);
    close(first_mounts);
    setenv("TEST_DIR", directory, 1);
    return 1;
}

/* In a process of its own: `compare` in these settings. */
static inline void in_settings(struct settings s, void (*compare)(void))
{
    struct sigaction action = { .sa_handler = over_limit };
    pid_t child = fork_child();
    int status;

    if (child == 0) {
        start_deadline();
        SAY("%s, at most %llu bytes a file, SIGXFSZ %s", s.on_fuse ? "on FUSE" : "on disk", (unsigned long long)s.most_bytes,
            s.catches ? "caught" : "ignored");
        if (s.on_fuse && !move_to_fuse(s.valid_s))
            exit(0);
        most_bytes = s.most_bytes;
        if (s.catches)
            MUST(sigaction(SIGXFSZ, &action, NULL));
        else
            signal(SIGXFSZ, SIG_IGN);
        compare();
        exit(0);
    }
    status = exit_status(child);
    if (status == 77)
        END_PROCESS(77); /* skipped, and it has said why */
    if (status)
        FAIL("the comparison ended with status %d", status);
}

#endif
