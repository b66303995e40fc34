/* The private fields of an aiocb may hold anything at the call: Open MPI and others malloc it and set the public fields
   alone [B2]. */
#include "aiocb.h"

static void set_public(struct aiocb *cb, int fd, void *buffer, size_t size, off_t offset)
{
    cb->aio_fildes = fd;
    cb->aio_reqprio = 0;
    cb->aio_buf = buffer;
    cb->aio_nbytes = size;
    cb->aio_offset = offset;
    memset(&cb->aio_sigevent, 0, sizeof cb->aio_sigevent);
    cb->aio_sigevent.sigev_notify = SIGEV_NONE;
}

int main(void)
{
    int fd = temp_file(O_RDWR);
    unsigned char fills[] = { 0xff, 0xa5, 0x01, 0x80 };
    char out[512], in[512];

    for (size_t i = 0; i < sizeof fills; i++) {
        struct aiocb *cb = malloc(sizeof *cb), *list[] = { cb };

        fill_pattern(out, sizeof out, i);
        memset(cb, fills[i], sizeof *cb);
        set_public(cb, fd, out, sizeof out, 0);
        CHECK_INT(aio_write(cb), 0);
        CHECK_DONE(cb, sizeof out);
        memset(cb, fills[i], sizeof *cb);
        set_public(cb, fd, NULL, 0, 0);
        CHECK_INT(aio_fsync(O_DSYNC, cb), 0);
        CHECK_DONE(cb, 0);
        memset(cb, fills[i], sizeof *cb);
        set_public(cb, fd, in, sizeof in, 0);
        cb->aio_lio_opcode = LIO_READ;
        CHECK_INT(lio_listio(LIO_WAIT, list, 1, NULL), 0);
        CHECK_DONE(cb, sizeof in);
        CHECK(is_pattern(in, sizeof in, i));
        free(cb);
    }
    return 0;
}
