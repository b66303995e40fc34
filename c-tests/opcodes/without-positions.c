/* Files that have no positions, and devices whose poll says nothing of writing, are read and written as by read and write:
   /proc/self/comm, /dev/kmsg. A transfer of no bytes asks the file: an eventfd refuses it. Devices that cannot be
   positioned, and yet take a position (/dev/kmsg), are given it: one past the largest is EINVAL.

   [B15] glibc tries pread and pwrite, and after ESPIPE read and write (sysdeps/pthread/aio_misc.c, handle_fildes_io). */
#include <sys/eventfd.h>

#include "aiocb.h"
#include "behaviour.h"

int main(void)
{
    static char line[] = "<7>a line of a test\n";
    char name[16];
    struct aiocb cb;
    int fd;

    start_deadline();
    fd = MUST(open("/proc/self/comm", O_RDWR | O_CLOEXEC));
    cb = make_cb(fd, (void *)"renamed", 7, 0);
    CHECK_INT(aio_write(&cb), 0);
    CHECK_DONE(&cb, 7);
    MUST(prctl(PR_GET_NAME, name));
    CHECK(strcmp(name, "renamed") == 0);
    MUST(close(fd));
    fd = MUST(open("/proc/self/comm", O_RDONLY | O_CLOEXEC));
    cb = make_cb(fd, (void *)"again", 5, 0);
    if (aio_write(&cb) == 0)
        CHECK_ENDS_WITH(&cb, EBADF);
    else
        CHECK_INT(errno, EBADF);
    fd = MUST(eventfd(1, EFD_CLOEXEC));
    cb = make_cb(fd, name, 0, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_ENDS_WITH(&cb, EINVAL);
    fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
    if (fd != -1) {
        cb = make_cb(fd, line, sizeof line - 1, 0);
        CHECK_INT(aio_write(&cb), 0);
        CHECK_DONE(&cb, (int)sizeof line - 1);
        cb = make_cb(fd, line, sizeof line - 1, INT64_MAX);
        CHECK_INT(aio_write(&cb), 0);
        CHECK_ENDS_WITH(&cb, EINVAL);
    }
    return 0;
}
