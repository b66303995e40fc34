/* An ext4 file system of the test's own on a loop device, that can be frozen (FIFREEZE) and thawed.

   It is mounted in a mount namespace of the test and ends with it. A guard process thaws it when the test has ended or
   its deadline is past, for a process with a thread in a write to it cannot end before. */
#ifndef FROZEN_EXT4_H
#define FROZEN_EXT4_H

#include <linux/fs.h>

#include "ext4-image.h"

static struct {
    char path[PATH_MAX];
    int dir;
    pid_t guard;
} frozen;

static inline void frozen_thaw(void)
{
    MUST(ioctl(frozen.dir, FITHAW, 0));
}

static inline void frozen_freeze(void)
{
    MUST(ioctl(frozen.dir, FIFREEZE, 0));
}

static volatile sig_atomic_t frozen_to_thaw;

static inline void frozen_asked(int signal)
{
    (void)signal;
    frozen_to_thaw = 1;
}

static inline void frozen_guard(pid_t test)
{
    int end = deadline_seconds() + 2;

    alarm(0);
    set_handler(SIGTERM, frozen_asked, 0);
    /* A killed process whose thread is in a frozen write stays as a zombie with threads: look at its main thread. */
    for (int waited = 0; waited < 10 * end && !frozen_to_thaw; waited++) {
        char state = thread_state(test, test);

        if (state == '?' || state == 'Z' || getppid() != test)
            break;
        pause_us(100000);
    }
    ioctl(frozen.dir, FITHAW, 0);
    END_PROCESS(0);
}

/* Makes and mounts it; to be called before there are threads. Skips where that is not possible. */
static inline void frozen_start(void)
{
    char *image = test_path("image");
    pid_t test = getpid();

    ext4_image_make(image);
    snprintf(frozen.path, sizeof frozen.path, "%s", test_path("frozen"));
    MUST(mkdir(frozen.path, 0755));
    if (unshare(CLONE_NEWNS) == -1 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
        SKIP("no mount namespace of its own: %s", strerror(errno));
    MUST(ext4_image_mount(image, frozen.path));
    frozen.dir = MUST(open(frozen.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    frozen.guard = MUST(fork());
    if (frozen.guard == 0)
        frozen_guard(test);
    holder = frozen.guard;
}

static inline int frozen_file(const char *name, int flags)
{
    char path[PATH_MAX + 16];

    snprintf(path, sizeof path, "%s/%s", frozen.path, name);
    return MUST(open(path, O_CREAT | O_CLOEXEC | flags, 0644));
}

#endif
