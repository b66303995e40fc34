// face: posix
/* aio_fsync ends after a plain write that was submitted before it, also where that write is held up: it takes its bytes
   from a page that is not there (userfaultfd).

   POSIX aio_fsync: it covers "all I/O operations associated with the file ... queued at the time of the call". [B7] */
#include "isolation.h"
#include "userfault.h"

int main(void)
{
    struct aiocb write_cb, sync_cb;
    const struct aiocb *list[] = { &sync_cb };
    const struct timespec moment = { 0, 300000000 };
    struct userfault u;
    int fd;

    start_deadline();
    u = userfault_map(BLOCK);
    fd = scratch_file("file", O_RDWR, BLOCK, 1);
    STEP("the submitting calls");
    write_cb = make_cb(fd, u.pages, BLOCK, 0);
    CHECK_INT(aio_write(&write_cb), 0);
    userfault_await(&u);
    sync_cb = make_cb(fd, NULL, 0, 0);
    CHECK_INT(aio_fsync(O_SYNC, &sync_cb), 0);
    /* A sync that overtakes the write would be done by then; one that does not can never fail this. */
    aio_suspend(list, 1, &moment);
    CHECK_PENDING(&sync_cb);
    CHECK_PENDING(&write_cb);
    STEP("the requests that were held");
    userfault_fill(&u, 2);
    CHECK_DONE(&write_cb, BLOCK);
    CHECK_DONE(&sync_cb, 0);
    return 0;
}
