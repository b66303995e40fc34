// face: posix
/* A thread that has given up its rights by the raw call and is the only one that uses POSIX AIO writes to a set-user-ID
   file: the bit is cleared, as by a write of a user without rights.

   [F7] setresuid(2): "the raw system call applies to the calling thread only"; inode(7): a write clears the set-user-ID
   and set-group-ID bits unless the writer has CAP_FSETID; glibc's helper threads have the rights of the thread that
   made the first request. */
#include "aiocb.h"
#include "behaviour.h"

#define BLOCK 4096

static void *without_rights(void *fd)
{
    unsigned char *buffer = new_pages(BLOCK);
    struct aiocb cb = make_cb(*(int *)fd, buffer, BLOCK, 0);
    struct stat stat;

    MUST(syscall(SYS_setresgid, 65534, 65534, 65534));
    MUST(syscall(SYS_setresuid, 65534, 65534, 65534));
    CHECK_INT(aio_write(&cb), 0);
    CHECK_DONE(&cb, BLOCK);
    MUST(fstat(*(int *)fd, &stat));
    return (void *)(uintptr_t)(stat.st_mode & 06000);
}

int main(void)
{
    static const int flags[] = { 0, O_APPEND, O_DIRECT };

    start_deadline();
    if (geteuid() != 0)
        SKIP("only root has rights to give up");
    for (int f = 0; f < 3; f++) {
        pid_t child = fork_child();

        if (child == 0) {
            int fd = scratch_file("file", O_RDWR | flags[f], BLOCK, 1);

            MUST(fchmod(fd, 06777));
            STEP("a thread without rights");
            CHECK_INT((uintptr_t)join_thread(start_thread(without_rights, &fd)), 0);
            exit(0);
        }
        CHECK_INT(exit_status(child), 0);
    }
    return 0;
}
