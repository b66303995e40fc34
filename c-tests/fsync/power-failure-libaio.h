/* The ways in which libaio makes records durable, for power-failure-libaio.c and power-failure-ext4-libaio.c. */
#include "iocb.h"
#include "power-failure.h"

static io_context_t context_of_thread(void)
{
    static __thread io_context_t context;

    if (!context)
        context = make_context(2 * MOST_IN_BATCH);
    return context;
}

static int run_iocbs(struct iocb *iocbs, int count, long bytes)
{
    struct iocb *list[MOST_IN_BATCH];
    struct io_event events[MOST_IN_BATCH];
    int done = 0, error = 0;

    for (int i = 0; i < count; i++)
        list[i] = &iocbs[i];
    while (done < count) {
        int taken = io_submit(context_of_thread(), count - done, list + done);

        if (taken < 0)
            return -taken;
        reap(context_of_thread(), taken, events);
        for (int i = 0; i < taken; i++) {
            if ((long)events[i].res != bytes)
                error = (long)events[i].res < 0 ? -(long)events[i].res : EIO;
        }
        done += taken;
    }
    return error;
}

static int write_all(const struct batch *batch, int flags)
{
    struct iocb iocbs[MOST_IN_BATCH];

    for (int i = 0; i < batch->count; i++) {
        io_prep_pwrite(&iocbs[i], batch->fd, batch->data[i], RECORD_BYTES, batch->offset[i]);
        iocbs[i].aio_rw_flags = flags;
    }
    return run_iocbs(iocbs, batch->count, RECORD_BYTES);
}

static int sync_file(int fd, int data_only)
{
    struct iocb iocb;

    if (data_only)
        io_prep_fdsync(&iocb, fd);
    else
        io_prep_fsync(&iocb, fd);
    return run_iocbs(&iocb, 1, 0);
}

static int write_then_sync(struct batch *batch)
{
    int error = write_all(batch, 0);

    return error ? error : sync_file(batch->fd, 0);
}

static int write_then_data_sync(struct batch *batch)
{
    int error = write_all(batch, 0);

    return error ? error : sync_file(batch->fd, 1);
}

static int write_then_sync_by_other(struct batch *batch)
{
    int error = write_all(batch, 0);

    return error ? error : sync_file(batch->other_fd, 1);
}

static int written(struct batch *batch)
{
    return write_all(batch, 0);
}

static int written_data_sync(struct batch *batch)
{
    return write_all(batch, RWF_DSYNC);
}

static int written_sync(struct batch *batch)
{
    return write_all(batch, RWF_SYNC);
}

static const struct way ways[] = {
    { "IOCB_CMD_PWRITE, IOCB_CMD_FSYNC", 0, write_then_sync },
    { "IOCB_CMD_PWRITE, IOCB_CMD_FDSYNC", 0, write_then_data_sync },
    { "IOCB_CMD_PWRITE, IOCB_CMD_FDSYNC by another descriptor", 0, write_then_sync_by_other },
    { "IOCB_CMD_PWRITE on O_DSYNC", O_DSYNC, written },
    { "IOCB_CMD_PWRITE with RWF_DSYNC", 0, written_data_sync },
    { "IOCB_CMD_PWRITE with RWF_SYNC", 0, written_sync },
};
