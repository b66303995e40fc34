// face: libaio
/* A thread gives up its rights by the raw call, so that the process's other threads keep theirs. Its write to a
   set-user-ID file clears that bit, as a write by a user without rights does; the others' write does not.

   [F7] setresuid(2): "the raw system call applies to the calling thread only"; inode(7): a write clears the set-user-ID
   and set-group-ID bits unless the writer has CAP_FSETID; io_submit(2) runs with the caller's rights. */
#include "behaviour.h"
#include "iocb.h"

#define BLOCK 4096

static io_context_t context;
static unsigned char *buffer;

static int bits_after_write(int fd)
{
    struct iocb iocb;
    struct stat stat;

    MUST(fchmod(fd, 06777));
    io_prep_pwrite(&iocb, fd, buffer, BLOCK, 0);
    CHECK_INT(outcome(context, &iocb), BLOCK);
    MUST(fstat(fd, &stat));
    return stat.st_mode & 06000;
}

static void *without_rights(void *fd)
{
    struct iocb iocb;
    struct stat stat;

    MUST(syscall(SYS_setresgid, 65534, 65534, 65534));
    MUST(syscall(SYS_setresuid, 65534, 65534, 65534));
    io_prep_pwrite(&iocb, *(int *)fd, buffer, BLOCK, 0);
    CHECK_INT(outcome(context, &iocb), BLOCK);
    MUST(fstat(*(int *)fd, &stat));
    return (void *)(uintptr_t)(stat.st_mode & 06000);
}

int main(void)
{
    static const int flags[] = { 0, O_APPEND, O_DIRECT };

    start_deadline();
    if (geteuid() != 0)
        SKIP("only root has rights to give up");
    buffer = new_pages(BLOCK);
    context = make_context(8);
    for (int f = 0; f < 3; f++) {
        int fd = scratch_file("file", O_RDWR | flags[f], BLOCK, 1);

        for (int round = 0; round < 100; round++)
            CHECK_INT(bits_after_write(fd), 06000);
        STEP("a thread without rights");
        CHECK_INT((uintptr_t)join_thread(start_thread(without_rights, &fd)), 0);
        CHECK_INT(bits_after_write(fd), 06000);
        close(fd);
    }
    return 0;
}
