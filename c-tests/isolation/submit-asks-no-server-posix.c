// face: posix
/* aio_read, aio_write, aio_fsync and lio_listio(LIO_NOWAIT) of a file whose attributes have expired return although the
   file's server does not answer, and cause no more requests for attributes than plain reads and writes do.

   [D3] aio_read(3): the call queues the request; glibc's asks nobody anything. stat(2), fstatfs(2) and statx(2) without
   AT_STATX_DONT_SYNC can be a round trip to a server that is slow or gone. */
#include "aiocb.h"
#include "behaviour.h"
#include "fuse-server.h"

#define REQUESTS 20
#define BLOCK 4096

static unsigned char *buffer;

/* How many requests for attributes so many plain reads and writes cause. */
static int asked_by_plain(int fd)
{
    int before = atomic_load(&fuse->attributes);

    for (int i = 0; i < REQUESTS; i++) {
        CHECK_INT(pread(fd, buffer, BLOCK, 0), BLOCK);
        CHECK_INT(pwrite(fd, buffer, BLOCK, 0), BLOCK);
    }
    return atomic_load(&fuse->attributes) - before;
}

static int asked_by_aio(int fd)
{
    int before = atomic_load(&fuse->attributes);

    for (int i = 0; i < REQUESTS; i++) {
        struct aiocb cb = make_cb(fd, buffer, BLOCK, 0);

        CHECK_INT(aio_read(&cb), 0);
        CHECK_DONE(&cb, BLOCK);
        cb = make_cb(fd, buffer, BLOCK, 0);
        CHECK_INT(aio_write(&cb), 0);
        CHECK_DONE(&cb, BLOCK);
    }
    return atomic_load(&fuse->attributes) - before;
}

/* On a file that the program uses for the first time: whatever is learnt of a file has not been learnt. */
static void check_file(const char *name, int flags, int open_flags)
{
    struct aiocb cbs[4], sync, *list[2] = { &cbs[2], &cbs[3] };
    int fd, plain, aio;

    atomic_store(&fuse->open_flags, open_flags);
    fd = fuse_open(name, O_RDWR | flags);
    fuse_hold(FUSE_HOLD_ATTRIBUTES | FUSE_HOLD_READS | FUSE_HOLD_WRITES | FUSE_HOLD_FSYNCS);
    for (int i = 0; i < 4; i++) {
        cbs[i] = make_cb(fd, buffer + i * BLOCK, BLOCK, 0);
        cbs[i].aio_lio_opcode = i % 2 ? LIO_WRITE : LIO_READ;
    }
    sync = make_cb(fd, NULL, 0, 0);
    STEP("aio_read of a file whose server does not answer");
    CHECK_INT(aio_read(&cbs[0]), 0);
    STEP("aio_write to a file whose server does not answer");
    CHECK_INT(aio_write(&cbs[1]), 0);
    STEP("lio_listio of a file whose server does not answer");
    CHECK_INT(lio_listio(LIO_NOWAIT, list, 2, NULL), 0);
    STEP("aio_fsync of a file whose server does not answer");
    CHECK_INT(aio_fsync(O_SYNC, &sync), 0);
    CHECK_PENDING(&sync);
    fuse_release();
    STEP("the requests when the server answers");
    for (int i = 0; i < 4; i++)
        CHECK_DONE(&cbs[i], BLOCK);
    CHECK_DONE(&sync, 0);

    STEP("counting");
    plain = asked_by_plain(fd);
    aio = asked_by_aio(fd);
    if (aio > plain)
        FAIL("%d plain reads and writes ask for attributes %d times, as many by AIO %d times", REQUESTS, plain, aio);
    close(fd);
}

int main(void)
{
    start_deadline();
    fuse_start(65536, 1);
    atomic_store(&fuse->attributes_expire, 1);
    buffer = new_pages(4 * BLOCK);
    check_file("a", 0, FOPEN_DIRECT_IO);
    check_file("b", O_DIRECT, 0);
    check_file("c", 0, 0);
    return 0;
}
