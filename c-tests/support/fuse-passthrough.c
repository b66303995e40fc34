/* fuse-passthrough BACKING DIRECTORY THREADS VALID [SEED [tear|lie]]: mounts on DIRECTORY a file system that shows the directory
   BACKING. THREADS threads serve it. The kernel may keep attributes for VALID seconds: libfuse says 1, and file systems that
   must show changes at once, such as bindfs, say 0. With 0 the kernel asks for the size before each read, and waits for it.

   With SEED, a number other than 0, it stands for a disk with a cache. SIGUSR1 is a failure of the power: a part of what was
   written and not synced is taken back, the program prints "failed: KEPT kept, DROPPED dropped, TORN torn" in blocks of 4 KiB,
   and every request is answered with EIO from then on. With "tear" blocks are torn, sector by sector; with "lie" syncs succeed
   and do nothing.

   It prints "ready" when the file system is mounted, and unmounts it on SIGTERM, and when the program that started it ends.
   Needs root. */
#include "fuse-passthrough.h"

#include <sys/prctl.h>

static struct passthrough served;

static void say_ready(void)
{
    printf("ready\n");
    fflush(stdout);
}

static void say_failed(void)
{
    printf("failed: %d kept, %d dropped, %d torn\n", served.counts.kept, served.counts.dropped, served.counts.torn);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    pid_t parent = getppid();
    int dev;

    if (argc < 5 || argc > 7 || atoi(argv[3]) < 1)
        return 2;
    served = (struct passthrough){ .backing = argv[1], .threads = atoi(argv[3]), .valid_s = atoi(argv[4]),
                                   .seed = argc > 5 ? strtoull(argv[5], NULL, 10) : 0, .tears = argc > 6 && strcmp(argv[6], "tear") == 0,
                                   .lies = argc > 6 && strcmp(argv[6], "lie") == 0 };
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        return 1;
    dev = passthrough_mount(argv[2]);
    if (dev < 0)
        passthrough_die("mount");
    passthrough_run(&served, dev, say_ready, say_failed);
    umount2(argv[2], MNT_DETACH);
    _exit(0);
}
