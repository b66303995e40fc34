/* Every function by its 64-bit name, as programs with -D_LARGEFILE64_SOURCE call it [B1]. */
// build: -D_LARGEFILE64_SOURCE
#include "aiocb.h"

static struct aiocb64 make_cb64(int fd, void *buffer, size_t size, off64_t offset, int opcode)
{
    struct aiocb64 cb;

    memset(&cb, 0, sizeof cb);
    cb.aio_fildes = fd;
    cb.aio_buf = buffer;
    cb.aio_nbytes = size;
    cb.aio_offset = offset;
    cb.aio_lio_opcode = opcode;
    cb.aio_sigevent.sigev_notify = SIGEV_NONE;
    return cb;
}

static void finish(struct aiocb64 *cb, ssize_t bytes)
{
    const struct aiocb64 *list[] = { NULL, cb };

    while (aio_error64(cb) == EINPROGRESS)
        CHECK_INT(aio_suspend64(list, 2, &(struct timespec){ DEADLINE_SECONDS, 0 }), 0);
    CHECK_INT(aio_error64(cb), 0);
    CHECK_INT(aio_return64(cb), bytes);
}

int main(void)
{
    int fd = temp_file(O_RDWR), ends[2];
    off64_t far = 5LL << 30;
    char out[777], in[777];
    struct aiocb64 write_cb = make_cb64(fd, out, sizeof out, far, LIO_NOP);
    struct aiocb64 read_cb = make_cb64(fd, in, sizeof in, far, LIO_READ);
    struct aiocb64 sync_cb = make_cb64(fd, NULL, 0, 0, LIO_NOP);
    struct aiocb64 *list[] = { &write_cb, &read_cb };

    fill_pattern(out, sizeof out, 1);
    CHECK_INT(aio_write64(&write_cb), 0);
    finish(&write_cb, sizeof out);
    CHECK_INT(aio_fsync64(O_SYNC, &sync_cb), 0);
    finish(&sync_cb, 0);
    CHECK_INT(aio_read64(&read_cb), 0);
    finish(&read_cb, sizeof in);
    CHECK(is_pattern(in, sizeof in, 1));
    memset(in, 0, sizeof in);
    CHECK_INT(lio_listio64(LIO_WAIT, list, 2, NULL), 0);
    finish(&read_cb, sizeof in);
    CHECK(is_pattern(in, sizeof in, 1));

    make_pipe(ends);
    read_cb = make_cb64(ends[0], in, 1, 0, LIO_READ);
    CHECK_INT(aio_read64(&read_cb), 0);
    CHECK_INT(write(ends[1], "x", 1), 1);
    finish(&read_cb, 1);
    CHECK_INT(aio_cancel64(fd, &write_cb), AIO_ALLDONE);
    return 0;
}
