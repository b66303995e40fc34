// face: posix
/* A write to a file whose server does not answer is held, and so are those that the kernel lets wait behind it. Meanwhile
   reads of the same file are done, also where they were submitted after all writes. A write that waits is cancelled or is
   done, never both: what was cancelled the server never sees.

   [D1] The rule: a request that sleeps delays no other. [B9] aio_cancel(3): what it reports is what happens. */
#include "isolation.h"
#include "fuse-server.h"

#define WRITES 16
#define READS 16

int main(void)
{
    unsigned char *out = new_pages(WRITES * BLOCK), *in = new_pages(READS * BLOCK);
    struct aiocb writes[WRITES], reads[READS];
    int for_writes, for_reads, done = 0;

    start_deadline();
    fuse_start(2 * WRITES * BLOCK, 1);
    atomic_store(&fuse->open_flags, FOPEN_DIRECT_IO);
    for_writes = fuse_open("a", O_RDWR);
    for_reads = fuse_open("a", O_RDONLY);
    fuse_hold(FUSE_HOLD_WRITES);
    STEP("writes that are held");
    for (int i = 0; i < WRITES; i++) {
        writes[i] = make_cb(for_writes, out + i * BLOCK, BLOCK, i * BLOCK);
        CHECK_INT(aio_write(&writes[i]), 0);
    }
    WAIT_UNTIL(atomic_load(&fuse->held) > 0);
    STEP("reads of the same file");
    for (int i = 0; i < READS; i++) {
        reads[i] = make_cb(for_reads, in + i * BLOCK, BLOCK, (WRITES + i) * BLOCK);
        CHECK_INT(aio_read(&reads[i]), 0);
    }
    for (int i = 0; i < READS; i++) {
        CHECK_DONE(&reads[i], BLOCK);
        CHECK(memcmp(in + i * BLOCK, fuse->bytes + (WRITES + i) * BLOCK, BLOCK) == 0);
    }
    STEP("cancelling a write that waits");
    CHECK_PENDING(&writes[0]);
    switch (aio_cancel(for_writes, &writes[WRITES - 1])) {
    case AIO_CANCELED:
        CHECK_ENDS_WITH(&writes[WRITES - 1], ECANCELED);
        break;
    case AIO_NOTCANCELED:
        done++;
        break;
    default:
        FAIL("the write has ended");
    }
    fuse_release();
    STEP("the writes that were held");
    for (int i = 0; i < WRITES - 1 + done; i++)
        CHECK_DONE(&writes[i], BLOCK);
    CHECK_INT(atomic_load(&fuse->writes), WRITES - 1 + done);
    STEP("exit");
    return 0;
}
