/* One request is held; everything else must go on. A program holds a request in its own way, calls rest_of_posix_works
   or rest_of_libaio_works, sees that its request is still held, and lets it go. The order of events is what is
   asserted: a rest that waits for the held request never ends.

   The rest is, for POSIX AIO: reads of a cached and of an O_DIRECT file, a pipe's read, a buffered and an O_DIRECT
   write, an fsync; for libaio the same and a poll. For both: close, dup2, fcntl(F_SETFL), munmap. */
#ifndef ISOLATION_H
#define ISOLATION_H

#include <poll.h>

#include "aiocb.h"
#include "behaviour.h"

#define BLOCK 4096

static struct {
    int cached, direct;
    unsigned char *buffer;
} rest;

/* To be called before anything is held. */
static inline void rest_prepare(void)
{
    rest.cached = scratch_file("rest-cached", O_RDWR, BLOCK, 21);
    rest.direct = scratch_file("rest-direct", O_RDWR | O_DIRECT, BLOCK, 22);
    rest.buffer = new_pages(4 * BLOCK);
}

/* Closes `fd`, which has been used, and the same by dup2; changes flags; unmaps memory. */
static inline void rest_calls(int fd, void *memory)
{
    int other = MUST(fcntl(rest.cached, F_DUPFD_CLOEXEC, 0)), flags = MUST(fcntl(rest.direct, F_GETFL));

    STEP("fcntl(F_SETFL) while a request is held");
    MUST(fcntl(rest.direct, F_SETFL, flags & ~O_DIRECT));
    MUST(fcntl(rest.direct, F_SETFL, flags));
    STEP("dup2 while a request is held");
    MUST(dup2(rest.cached, other));
    STEP("close while a request is held");
    MUST(close(other));
    MUST(close(fd));
    STEP("munmap while a request is held");
    MUST(munmap(memory, BLOCK));
}

static inline void rest_of_posix_works(void)
{
    const char *step = CURRENT_STEP();
    int fd = MUST(fcntl(rest.direct, F_DUPFD_CLOEXEC, 0)), ends[2];
    unsigned char *memory = new_pages(BLOCK);
    struct aiocb cb;

    STEP("aio_read of a cached file while a request is held");
    cb = make_cb(rest.cached, rest.buffer, BLOCK, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, BLOCK);
    CHECK(is_pattern(rest.buffer, BLOCK, 21));
    STEP("aio_read of an O_DIRECT file while a request is held");
    cb = make_cb(fd, memory, BLOCK, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, BLOCK);
    CHECK(is_pattern(memory, BLOCK, 22));
    STEP("aio_read of a pipe while a request is held");
    make_pipe(ends);
    cb = make_cb(ends[0], rest.buffer, 1, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_INT(write(ends[1], "p", 1), 1);
    CHECK_DONE(&cb, 1);
    STEP("aio_write while a request is held");
    fill_pattern(rest.buffer, BLOCK, 21);
    cb = make_cb(rest.cached, rest.buffer, BLOCK, 0);
    CHECK_INT(aio_write(&cb), 0);
    CHECK_DONE(&cb, BLOCK);
    STEP("aio_write to an O_DIRECT file while a request is held");
    cb = make_cb(rest.direct, memory, BLOCK, 0);
    CHECK_INT(aio_write(&cb), 0);
    CHECK_DONE(&cb, BLOCK);
    STEP("aio_fsync while a request is held");
    cb = make_cb(rest.cached, NULL, 0, 0);
    CHECK_INT(aio_fsync(O_SYNC, &cb), 0);
    CHECK_DONE(&cb, 0);
    rest_calls(fd, memory);
    MUST(close(ends[0]));
    MUST(close(ends[1]));
    STEP(step);
}

#ifdef IOCB_H
static inline void rest_of_libaio_works(void)
{
    const char *step = CURRENT_STEP();
    int fd = MUST(fcntl(rest.direct, F_DUPFD_CLOEXEC, 0)), ends[2];
    unsigned char *memory = new_pages(BLOCK);
    io_context_t context;
    struct io_event event;
    struct iocb iocb;

    STEP("io_setup while a request is held");
    context = make_context(8);
    STEP("io_submit of a read of a cached file while a request is held");
    io_prep_pread(&iocb, rest.cached, rest.buffer, BLOCK, 0);
    CHECK_INT(outcome(context, &iocb), BLOCK);
    CHECK(is_pattern(rest.buffer, BLOCK, 21));
    STEP("io_submit of a read of an O_DIRECT file while a request is held");
    io_prep_pread(&iocb, fd, memory, BLOCK, 0);
    CHECK_INT(outcome(context, &iocb), BLOCK);
    CHECK(is_pattern(memory, BLOCK, 22));
    STEP("io_submit of a poll of a pipe while a request is held");
    make_pipe(ends);
    io_prep_poll(&iocb, ends[0], POLLIN);
    submit_one(context, &iocb);
    CHECK_INT(write(ends[1], "p", 1), 1);
    reap(context, 1, &event);
    CHECK(event.res & POLLIN);
    STEP("io_submit of writes and an fsync while a request is held");
    fill_pattern(rest.buffer, BLOCK, 21);
    io_prep_pwrite(&iocb, rest.cached, rest.buffer, BLOCK, 0);
    CHECK_INT(outcome(context, &iocb), BLOCK);
    io_prep_pwrite(&iocb, rest.direct, memory, BLOCK, 0);
    CHECK_INT(outcome(context, &iocb), BLOCK);
    io_prep_fsync(&iocb, rest.cached);
    CHECK_INT(outcome(context, &iocb), 0);
    rest_calls(fd, memory);
    MUST(close(ends[0]));
    MUST(close(ends[1]));
    STEP("io_destroy while a request is held");
    CHECK_INT(io_destroy(context), 0);
    STEP(step);
}

/* The original may block in io_submit for a request that is held, so a thread of its own submits it. */
static struct {
    io_context_t context;
    struct iocb iocb;
    pthread_t thread;
} held;

static inline void *held_submit(void *unused)
{
    (void)unused;
    submit_one(held.context, &held.iocb);
    return NULL;
}

/* Submits held.iocb, which the program has prepared. */
static inline void held_start(void)
{
    held.context = make_context(4);
    held.thread = start_thread(held_submit, NULL);
}

static inline void held_is_pending(void)
{
    struct timespec no_time = { 0, 0 };
    struct io_event event;

    CHECK_INT(io_getevents(held.context, 0, 1, &event, &no_time), 0);
}

/* After it was let go: it ends with `result`. */
static inline void held_ends(long long result)
{
    struct io_event event;

    STEP("the request that was held");
    join_thread(held.thread);
    reap(held.context, 1, &event);
    CHECK(event.obj == &held.iocb);
    CHECK_INT((long)event.res, result);
    CHECK_INT(io_destroy(held.context), 0);
}
#endif

#endif
