// columns: oracle preload -- there alone io_uring carries them
/* No thread of the kernel's carries a write through the page cache of a regular file, where the library does nothing in the calling
   thread (URINGAIO_INLINE=never): it would hold the file for a moment after the status is visible. A new file each time: who
   writes it makes a page dirty.

   [E1] flock(2), execve(2): a program that sees its request done and closes the file relies on nobody else having it open. */
#include "aiocb.h"
#include "behaviour.h"
#include "process.h"

#define ROUNDS 40
#define SIZE 4096

/* The bytes of pages that a thread has made dirty (proc_pid_io(5)). */
static long long dirtied_bytes(int thread)
{
    char bytes[32];

    if (proc_line(thread, "io", "write_bytes", bytes, sizeof bytes))
        return atoll(bytes);
    if (access("/proc/self/io", F_OK) != 0)
        SKIP("this kernel does not count what a thread writes");
    return 0; /* It has ended. */
}

/* How many of io_uring's threads have written. They are threads of the process, and have this name; from Linux 7.0 on some are
   there without any write, because the library tries what a ring may do. */
static int kernel_threads_that_wrote(void)
{
    DIR *threads = opendir("/proc/self/task");
    char name[64];
    int count = 0;

    CHECK(threads != NULL);
    for (struct dirent *entry; (entry = readdir(threads));)
        if (status_line(atoi(entry->d_name), "Name", name, sizeof name) && strncmp(name, "iou-wrk", 7) == 0)
            count += dirtied_bytes(atoi(entry->d_name)) > 0;
    closedir(threads);
    return count;
}

int main(int argc, char **argv)
{
    void *buffer;

    (void)argc;
    start_deadline();
    if (!getenv("URINGAIO_INLINE")) {
        MUST(setenv("URINGAIO_INLINE", "never", 1));
        execv("/proc/self/exe", argv);
        FAIL("exec: %s", strerror(errno));
    }
    buffer = new_pages(SIZE);
    for (int round = 0; round < ROUNDS; round++) {
        int fd = scratch_file("new", O_RDWR, 0, 1);
        struct aiocb cb = make_cb(fd, buffer, SIZE, 0);

        CHECK_INT(aio_write(&cb), 0);
        CHECK_DONE(&cb, SIZE);
        close(fd);
    }
    CHECK_INT(kernel_threads_that_wrote(), 0);
    return 0;
}
