/* An ext4 file system in a file, mounted by a loop device that goes with the mount. */
#ifndef EXT4_IMAGE_H
#define EXT4_IMAGE_H

#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include "behaviour.h"

#define EXT4_IMAGE_BYTES (16 << 20)

/* Makes an empty one in a new file. Skips where that is not possible. */
static inline void ext4_image_make(const char *image)
{
    int fd, status;
    pid_t mkfs;

    if (geteuid() != 0)
        SKIP("only root can mount");
    fd = MUST(open(image, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    MUST(ftruncate(fd, EXT4_IMAGE_BYTES));
    MUST(close(fd));
    mkfs = fork_child();
    if (mkfs == 0) {
        setenv("PATH", "/usr/sbin:/sbin:/usr/bin:/bin", 1);
        unsetenv("LD_PRELOAD");
        execlp("mkfs.ext4", "mkfs.ext4", "-q", "-F", image, NULL);
        END_PROCESS(127);
    }
    status = exit_status(mkfs);
    if (status == 127)
        SKIP("no mkfs.ext4 here");
    CHECK_INT(status, 0);
}

/* Mounts it: 0, or -1 and errno. The loop device is free again when the file system is unmounted. Skips where there is no loop
   device. */
static inline int ext4_image_mount(const char *image, const char *directory)
{
    struct loop_config config = { .info.lo_flags = LO_FLAGS_AUTOCLEAR };
    int control, number, loop = -1, ret, error;
    char device[32];

    config.fd = MUST(open(image, O_RDWR | O_CLOEXEC));
    if ((control = open("/dev/loop-control", O_RDWR | O_CLOEXEC)) == -1)
        SKIP("no loop devices here: %s", strerror(errno));
    /* Another process may take the device that was free. */
    for (int tries = 0; tries < 100 && loop == -1; tries++) {
        if ((number = ioctl(control, LOOP_CTL_GET_FREE)) == -1)
            SKIP("no free loop device: %s", strerror(errno));
        snprintf(device, sizeof device, "/dev/loop%d", number);
        if ((loop = open(device, O_RDWR | O_CLOEXEC)) == -1)
            SKIP("%s: %s", device, strerror(errno));
        if (ioctl(loop, LOOP_CONFIGURE, &config) == -1) {
            close(loop);
            loop = -1;
        }
    }
    if (loop == -1)
        SKIP("no loop device could be had");
    close(control);
    close(config.fd);
    ret = mount(device, directory, "ext4", 0, NULL);
    error = errno;
    close(loop);
    errno = error;
    return ret;
}

#endif
