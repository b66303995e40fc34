// face: libaio
/* io_queue_init, io_set_callback, io_queue_run, io_queue_release: callbacks get context, iocb, res and res2; a callback
   may submit again [A14] (io_queue_run(3), sysbench). */
#include "iocb.h"

static int called;
static io_context_t expected;
static struct iocb iocbs[8];

static void callback(io_context_t context, struct iocb *iocb, long res, long res2)
{
    CHECK(context == expected);
    CHECK(iocb >= iocbs && iocb < iocbs + 8);
    CHECK_INT(res, 100 + (iocb - iocbs));
    CHECK_INT(res2, 0);
    if (++called <= 92)
        CHECK_INT(io_submit(context, 1, &iocb), 1);
}

static void failed(io_context_t context, struct iocb *iocb, long res, long res2)
{
    (void)context;
    (void)iocb;
    CHECK_INT(res, -EFAULT);
    CHECK_INT(res2, 0);
    called++;
}

int main(void)
{
    int fd = pattern_file(O_RDWR, 4096, 0);
    char buffers[8][128];
    int64_t end = deadline_ns();

    CHECK_INT(io_queue_init(0, &expected), -EINVAL);
    CHECK_INT(io_queue_init(-1, &expected), -EINVAL);
    expected = (io_context_t)&expected; /* io_queue_init sets it to NULL itself */
    CHECK_INT(io_queue_init(64, &expected), 0);
    CHECK_INT(io_queue_run(expected), 0);
    for (int i = 0; i < 8; i++) {
        struct iocb *one = &iocbs[i];

        io_prep_pread(one, fd, buffers[i], (size_t)(100 + i), i);
        io_set_callback(one, callback);
        CHECK_INT(io_submit(expected, 1, &one), 1);
    }
    while (called < 100) {
        CHECK_INT(io_queue_run(expected), 0);
        if (now_ns() > end)
            FAIL("%d of 100 callbacks came", called);
    }
    CHECK_INT(io_queue_run(expected), 0);
    CHECK_INT(called, 100);
    io_prep_pread(&iocbs[0], fd, no_access(), 10, 0);
    io_set_callback(&iocbs[0], failed);
    submit_one(expected, &iocbs[0]);
    while (called < 101) {
        CHECK_INT(io_queue_run(expected), 0);
        if (now_ns() > end)
            FAIL("the callback of the failed request did not come");
    }
    CHECK_INT(io_queue_release(expected), 0);
    CHECK_INT(io_queue_release(expected), -EINVAL);
    return 0;
}
