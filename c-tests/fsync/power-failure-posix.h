/* The ways in which POSIX AIO makes records durable, for power-failure-posix.c and power-failure-ext4-posix.c. */
#include "aiocb.h"
#include "power-failure.h"

static int wait_for(struct aiocb *cbs, int count, ssize_t bytes)
{
    int error = 0;

    for (int i = 0; i < count; i++) {
        AWAIT_CB(&cbs[i]);
        if (aio_error(&cbs[i]))
            error = aio_error(&cbs[i]);
        else if (aio_return(&cbs[i]) != bytes)
            error = EIO;
    }
    return error;
}

static void make_cbs(const struct batch *batch, struct aiocb *cbs)
{
    for (int i = 0; i < batch->count; i++) {
        cbs[i] = make_cb(batch->fd, batch->data[i], RECORD_BYTES, batch->offset[i]);
        cbs[i].aio_lio_opcode = LIO_WRITE;
    }
}

static int write_all(const struct batch *batch, struct aiocb *cbs)
{
    make_cbs(batch, cbs);
    for (int i = 0; i < batch->count; i++) {
        if (aio_write(&cbs[i]) == -1)
            return errno;
    }
    return 0;
}

static int list_all(const struct batch *batch, struct aiocb *cbs, int mode)
{
    struct aiocb *list[MOST_IN_BATCH];

    make_cbs(batch, cbs);
    for (int i = 0; i < batch->count; i++)
        list[i] = &cbs[i];
    return lio_listio(mode, list, batch->count, NULL) == -1 ? errno : 0;
}

static int sync_file(int fd, int operation)
{
    struct aiocb cb = make_cb(fd, NULL, 0, 0);

    return aio_fsync(operation, &cb) == -1 ? errno : wait_for(&cb, 1, 0);
}

/* aio_fsync covers what was queued before: nothing is waited for in between. A failure of the writes is theirs to tell. */
static int sync_queued(struct batch *batch, int error, struct aiocb *cbs, int operation)
{
    int sync_error;

    if (error)
        return error;
    sync_error = sync_file(batch->fd, operation);
    error = wait_for(cbs, batch->count, RECORD_BYTES);
    return sync_error ? sync_error : error;
}

static int queued_sync(struct batch *batch)
{
    struct aiocb cbs[MOST_IN_BATCH];

    return sync_queued(batch, write_all(batch, cbs), cbs, O_SYNC);
}

static int queued_data_sync(struct batch *batch)
{
    struct aiocb cbs[MOST_IN_BATCH];

    return sync_queued(batch, write_all(batch, cbs), cbs, O_DSYNC);
}

static int list_queued_data_sync(struct batch *batch)
{
    struct aiocb cbs[MOST_IN_BATCH];

    return sync_queued(batch, list_all(batch, cbs, LIO_NOWAIT), cbs, O_DSYNC);
}

/* What has ended before is covered whatever descriptor the file is synced by. */
static int list_then_sync_by_other(struct batch *batch)
{
    struct aiocb cbs[MOST_IN_BATCH];
    int error = list_all(batch, cbs, LIO_WAIT);

    if (!error)
        error = wait_for(cbs, batch->count, RECORD_BYTES);
    return error ? error : sync_file(batch->other_fd, O_SYNC);
}

/* On a file with O_DSYNC or O_SYNC the end of the write is the promise. */
static int written(struct batch *batch)
{
    struct aiocb cbs[MOST_IN_BATCH];
    int error = write_all(batch, cbs);

    return error ? error : wait_for(cbs, batch->count, RECORD_BYTES);
}

static int list_written(struct batch *batch)
{
    struct aiocb cbs[MOST_IN_BATCH];
    int error = list_all(batch, cbs, LIO_WAIT);

    return error ? error : wait_for(cbs, batch->count, RECORD_BYTES);
}

static const struct way ways[] = {
    { "aio_write, aio_fsync(O_SYNC)", 0, queued_sync },
    { "aio_write, aio_fsync(O_DSYNC)", 0, queued_data_sync },
    { "lio_listio, aio_fsync(O_DSYNC)", 0, list_queued_data_sync },
    { "lio_listio, aio_fsync by another descriptor", 0, list_then_sync_by_other },
    { "aio_write on O_DSYNC", O_DSYNC, written },
    { "lio_listio on O_SYNC", O_SYNC, list_written },
};
