// face: posix
/* An EIO that the file system answers to one fsync is reported to the program by exactly that fsync; it is not tried
   again, and the next one succeeds.

   [F2] aio_read(3), aio_write(3): the results are those of read(2) and write(2); fsync(2): an error of earlier writes
   is reported once, so that an fsync that is tried again hides it. */
#define ONE_REQUEST_POSIX
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
