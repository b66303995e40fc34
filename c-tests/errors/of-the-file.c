/* aio_error gives what read(2), write(2) and fsync(2) would give: EISDIR, ENOSPC, EFAULT, ENOTCONN [B4] (POSIX aio_read:
   "one of the error values normally set by read()"). */
// unsanitized: valgrind -- it passes memory that cannot be touched
#include "aiocb.h"

#include <sys/mman.h>

int main(void)
{
    char bytes[64] = { 0 };
    struct aiocb cb = make_cb(MUST(open("/", O_RDONLY | O_DIRECTORY)), bytes, 1, 0);

    CHECK_INT(aio_read(&cb), 0);
    CHECK_ENDS_WITH(&cb, EISDIR);

    cb = make_cb(MUST(open("/dev/full", O_RDWR)), bytes, sizeof bytes, 0);
    CHECK_INT(aio_write(&cb), 0);
    CHECK_ENDS_WITH(&cb, ENOSPC);

    int fd = pattern_file(O_RDWR, 8192, 1);
    /* Reserved, so that no thread gets its stack there meanwhile. */
    void *gone = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(gone != MAP_FAILED);
    cb = make_cb(fd, gone, 8192, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_ENDS_WITH(&cb, EFAULT);
    cb = make_cb(fd, gone, 8192, 0);
    CHECK_INT(aio_write(&cb), 0);
    CHECK_ENDS_WITH(&cb, EFAULT);

    cb = make_cb(MUST(socket(AF_INET, SOCK_STREAM, 0)), bytes, sizeof bytes, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_ENDS_WITH(&cb, ENOTCONN);
    return 0;
}
