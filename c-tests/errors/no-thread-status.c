/* A process that may have no thread more (RLIMIT_NPROC, not root) makes its first requests: where a call fails with EAGAIN,
   so says the status of each request, whatever was in the aiocb before.

   [B4] aio_read(3), EAGAIN "Out of resources"; lio_listio(3). */
#include "aiocb.h"
#include "behaviour.h"

#define N 3

int main(void)
{
    struct aiocb cbs[N], *list[N], cb;
    char bytes[N];
    int fd, ret;

    start_deadline();
    if (geteuid() != 0)
        SKIP("only root can become a user who has no other process");
    fd = scratch_file("file", O_RDWR, 4096, 1);
    /* A user of whom there is nobody. */
    MUST(setgid(61234));
    MUST(setuid(61234));
    set_limit(RLIMIT_NPROC, 1);
    memset(&cb, 0x55, sizeof cb);
    cb.aio_fildes = fd;
    cb.aio_buf = bytes;
    cb.aio_nbytes = 1;
    cb.aio_offset = 0;
    cb.aio_reqprio = 0;
    cb.aio_sigevent.sigev_notify = SIGEV_NONE;
    ret = aio_read(&cb);
    if (ret == 0) {
        CHECK_DONE(&cb, 1);
    } else {
        CHECK_INT(errno, EAGAIN);
        CHECK_INT(aio_error(&cb), EAGAIN);
    }
    for (int i = 0; i < N; i++) {
        cbs[i] = make_cb(fd, &bytes[i], 1, i);
        cbs[i].aio_lio_opcode = i == 1 ? LIO_NOP : LIO_READ;
        list[i] = &cbs[i];
    }
    ret = lio_listio(LIO_WAIT, list, N, NULL);
    if (ret == -1)
        CHECK_INT(errno, EAGAIN);
    for (int i = 0; i < N; i++)
        CHECK_INT(aio_error(&cbs[i]), ret == -1 && i != 1 ? EAGAIN : 0);
    return 0;
}
