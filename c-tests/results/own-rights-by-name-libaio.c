// face: libaio
/* A thread gives up rights by setfsuid, setfsgid or capset, which the C library leaves to the calling thread. Its write to a
   set-user-ID file clears that bit where the kernel would; the others' write does not.

   [F7] setfsuid(2), capset(2): about the calling thread; inode(7): a write clears the set-user-ID and set-group-ID bits
   unless the writer has CAP_FSETID; io_submit(2) runs with the caller's rights. */
#include <linux/capability.h>
#include <sys/fsuid.h>

#include "behaviour.h"
#include "iocb.h"

#define BLOCK 4096

extern int capset(cap_user_header_t header, const cap_user_data_t data);

static io_context_t context;
static unsigned char *buffer;
static int way;

static int bits_after_write(int fd)
{
    struct iocb iocb;
    struct stat stat;

    io_prep_pwrite(&iocb, fd, buffer, BLOCK, 0);
    CHECK_INT(outcome(context, &iocb), BLOCK);
    MUST(fstat(fd, &stat));
    return stat.st_mode & 06000;
}

static void *without_rights(void *fd)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct none[2];

    memset(none, 0, sizeof none);
    if (way == 0)
        setfsuid(65534);
    else if (way == 1)
        MUST(capset(&header, none));
    else
        setfsgid(65534); /* the rights stay */
    return (void *)(uintptr_t)bits_after_write(*(int *)fd);
}

int main(void)
{
    static const int flags[] = { 0, O_APPEND, O_DIRECT, O_DSYNC };

    start_deadline();
    if (geteuid() != 0)
        SKIP("only root has rights to give up");
    buffer = new_pages(BLOCK);
    for (unsigned f = 0; f < sizeof flags / sizeof *flags; f++) {
        int fd = scratch_file("file", O_RDWR | flags[f], BLOCK, 1);

        context = make_context(8);
        for (way = 0; way < 3; way++) {
            MUST(fchmod(fd, 06777));
            CHECK_INT(bits_after_write(fd), 06000);
            STEP("a thread without rights");
            CHECK_INT((uintptr_t)join_thread(start_thread(without_rights, &fd)), way == 2 ? 06000 : 0);
            MUST(fchmod(fd, 06777));
            CHECK_INT(bits_after_write(fd), 06000);
        }
        CHECK_INT(io_destroy(context), 0);
        close(fd);
    }
    return 0;
}
