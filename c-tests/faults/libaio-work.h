/* What a program does with libaio while a system call of the library's fails: all that there is, in small. */
#ifndef LIBAIO_WORK_H
#define LIBAIO_WORK_H

#include "iocb.h"
#include "fault-list.h"

#define BLOCK 4096
#define N 8

static int injected;

/* An error that the fault explains. */
static int explained(long error)
{
    return error == -injected || error == -EAGAIN || error == -ENOMEM || error == -EMFILE || error == -ENFILE || error == -EIO ||
           error == -ENOSYS || error == -EINVAL;
}

/* Takes what was submitted until all have ended, each once. The number of events, or -1: the calls are refused each time. */
static int take_all(io_context_t context, struct iocb *iocbs, int submitted, long long *results)
{
    int ended = 0, refused = 0;
    unsigned seen = 0;

    while (ended < submitted) {
        struct io_event events[N];
        struct timespec second = { 1, 0 };
        int got = ended % 2 ? io_pgetevents(context, 1, N, events, &second, NULL) : io_getevents(context, 1, N, events, &second);

        if (got < 0) {
            CHECK(explained(got) || got == -EINTR);
            if (++refused > 20)
                return -1;
            continue;
        }
        for (int i = 0; i < got; i++) {
            long which = (struct iocb *)events[i].obj - iocbs;

            CHECK(which >= 0 && which < submitted && !(seen >> which & 1));
            CHECK(events[i].data == (void *)(which + 1));
            seen |= 1u << which;
            results[which] = (long)events[i].res;
        }
        ended += got;
    }
    return ended;
}

/* Submits them, one after another if all at once are refused. How many were taken. */
static int submit_all(io_context_t context, struct iocb *iocbs, int count)
{
    int taken = 0;

    for (int tries = 0; taken < count && tries < 20; tries++) {
        struct iocb *list[N];

        for (int i = taken; i < count; i++) {
            iocbs[i].data = (void *)(long)(i + 1);
            list[i - taken] = &iocbs[i];
        }
        int now = io_submit(context, count - taken, list);
        CHECK(now > 0 ? now <= count - taken : explained(now) || now == -EINTR || now == -EBADF);
        taken += now > 0 ? now : 0;
    }
    return taken;
}

/* Whether all went well, or with errors that the fault explains. */
static int ended_well(const long long *results, int count, long long bytes)
{
    int well = 1;

    for (int i = 0; i < count; i++) {
        CHECK(results[i] == bytes || explained(results[i]));
        well &= results[i] == bytes;
    }
    return well;
}

/* Blocks are written and read back: straight to the disk, or through the cache with vectors and a flush. */
static void files(io_context_t context, int flags, int bell)
{
    static unsigned char out[N][BLOCK] __attribute__((aligned(BLOCK))), in[N][BLOCK] __attribute__((aligned(BLOCK)));
    struct iocb iocbs[N];
    struct iovec vectors[N];
    long long results[N];
    uint64_t rung = 0;
    int fd = pattern_file(O_RDWR | flags, N * BLOCK, 0), taken, whole;

    for (int i = 0; i < N; i++) {
        memset(out[i], 'a' + i, BLOCK);
        memset(in[i], 0, BLOCK);
        vectors[i] = (struct iovec){ out[i], BLOCK };
        if (flags)
            io_prep_pwrite(&iocbs[i], fd, out[i], BLOCK, (long long)i * BLOCK);
        else
            io_prep_pwritev(&iocbs[i], fd, &vectors[i], 1, (long long)i * BLOCK);
        if (bell >= 0)
            io_set_eventfd(&iocbs[i], bell);
    }
    taken = submit_all(context, iocbs, N);
    if (take_all(context, iocbs, taken, results) < 0)
        goto out;
    whole = ended_well(results, taken, BLOCK) && taken == N;
    if (bell >= 0 && read(bell, &rung, sizeof rung) == sizeof rung)
        CHECK(rung <= (uint64_t)taken);
    io_prep_fsync(&iocbs[0], fd);
    io_prep_fdsync(&iocbs[1], fd);
    taken = submit_all(context, iocbs, 2);
    if (take_all(context, iocbs, taken, results) < 0)
        goto out;
    ended_well(results, taken, 0);
    for (int i = 0; i < N; i++) {
        vectors[i] = (struct iovec){ in[i], BLOCK };
        if (flags)
            io_prep_pread(&iocbs[i], fd, in[i], BLOCK, (long long)i * BLOCK);
        else
            io_prep_preadv(&iocbs[i], fd, &vectors[i], 1, (long long)i * BLOCK);
    }
    taken = submit_all(context, iocbs, N);
    if (take_all(context, iocbs, taken, results) < 0)
        goto out;
    for (int i = 0; i < taken; i++)
        if (whole && results[i] == BLOCK)
            CHECK(memcmp(in[i], out[i], BLOCK) == 0);
    ended_well(results, taken, BLOCK);
out:
    CHECK(close(fd) == 0 || errno == injected);
}

/* A poll and a read that wait; one is stopped, or sees what comes. */
static void streams(io_context_t context)
{
    struct iocb iocbs[2];
    struct io_event event;
    long long results[2];
    char byte = 0;
    int ends[2], taken, stopped = 0;

    CHECK(pipe(ends) == 0);
    io_prep_poll(&iocbs[0], ends[0], POLLIN);
    io_prep_pread(&iocbs[1], ends[0], &byte, 1, 0);
    /* The kernel's own AIO would do the read inside io_submit, for ever: a byte is there, and after that read none. */
    CHECK(write(ends[1], "x", 1) == 1);
    taken = submit_all(context, iocbs, 2);
    if (taken > 0) {
        stopped = io_cancel(context, &iocbs[0], &event);
        CHECK(stopped == -EINPROGRESS || explained(stopped));
    }
    if (taken > 0)
        CHECK(write(ends[1], "y", 1) == 1);
    if (take_all(context, iocbs, taken, results) < 0)
        return;
    if (taken > 0)
        /* Nothing has become true of a poll that is stopped. Of one that had to wait the kernel tells POLLRDNORM as well. */
        if ((results[0] & ~POLLRDNORM) != POLLIN && results[0] != 0 && !explained(results[0]))
            FAIL("the poll ends with %lld", results[0]);
    if (taken > 1)
        CHECK(results[1] == 1 || explained(results[1]));
    CHECK(close(ends[0]) == 0 || errno == injected);
    CHECK(close(ends[1]) == 0 || errno == injected);
}

static void work(int error)
{
    io_context_t context = NULL;
    int bell = eventfd(0, EFD_NONBLOCK);

    injected = error;
    int made = io_setup(32, &context);
    if (made != 0) {
        CHECK(explained(made));
        return;
    }
    files(context, O_DIRECT, bell);
    files(context, 0, -1);
    streams(context);
    int gone = io_destroy(context);
    CHECK(gone == 0 || explained(gone));
}

#endif
