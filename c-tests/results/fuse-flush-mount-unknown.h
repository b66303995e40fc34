/* The body of fuse-flush-mount-unknown-posix.c and -libaio.c, which say what it does. */
#include <sys/mount.h>

#include "without-statmount.h"

/* In the mount namespace of the program, which fuse_start has made. */
static void hide_sysfs(void)
{
    if (umount2("/sys", MNT_DETACH) == -1 && errno != EINVAL && errno != ENOENT)
        SKIP("/sys cannot be hidden: %s", strerror(errno));
}

#define BEFORE_THE_FIRST() (hide_sysfs(), without_statmount())
#include "fuse-flush.h"
