/* The body of fuse-fsync-error-once-posix.c and fuse-fsync-error-once-libaio.c, which say what it does. */
#include "one-request.h"

#include "fuse-server.h"

int main(void)
{
    enum one_kind kinds[] = { ONE_FSYNC, ONE_DATASYNC };
    int fd;

    start_deadline();
    fuse_start(65536, 1);
    fd = fuse_open("a", O_RDWR);
    atomic_store(&fuse->fsync_error, EIO);
    for (int i = 0; i < 2; i++) {
        int before = atomic_load(&fuse->fsyncs);

        atomic_store(&fuse->errors_left, 1);
        CHECK_INT(one_request(kinds[i], fd, NULL, 0, 0), -EIO);
        CHECK_INT(atomic_load(&fuse->fsyncs) - before, 1);
        CHECK_INT(one_request(kinds[i], fd, NULL, 0, 0), 0);
        CHECK_INT(atomic_load(&fuse->fsyncs) - before, 2);
    }
    return 0;
}
