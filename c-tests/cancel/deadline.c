/* uringaio_deadline: a request whose time is over ends with ETIMEDOUT, is notified of, and touches its buffer no more; one that
   ends before is left alone, and so is the next request with the same aiocb [B20] [B9]. */
// links: uringaio
#include "aiocb.h"
#include "memory.h"
#include "process.h"

#include <poll.h>
#include <sys/eventfd.h>

#define N 300

static const struct timespec soon = { 0, 20 * 1000 * 1000 }, later = { 0, 100 * 1000 * 1000 }, never = { 1000000, 0 };

/* Reads of `size` bytes from a pipe that is empty. */
static struct aiocb blocked(int ends[2], void *in, size_t size)
{
    struct aiocb cb;

    make_pipe(ends);
    cb = make_cb(ends[0], in, size, 0);
    return cb;
}

/* Returns when a deadline of `later` that is set now has come: any of `soon` that was set before has come as well. */
static void let_time_pass(void)
{
    int ends[2];
    char byte;
    struct aiocb cb = blocked(ends, &byte, 1);

    CHECK_INT(aio_read(&cb), 0);
    CHECK_INT(uringaio_deadline(&cb, &later), 0);
    CHECK_ENDS_WITH(&cb, ETIMEDOUT);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    static struct aiocb cb[N];
    static char bytes[N];
    int ends[N][2], fd = pattern_file(O_RDWR, 65536, 0), direct = reopen(fd, O_RDWR | O_DIRECT);
    int counter = MUST(eventfd(0, EFD_CLOEXEC));
    char in[8] = "???????", next[4] = "", *block = aligned(4096);
    struct aiocb one = blocked(ends[0], in, 3), *got;
    struct pollfd readable = { counter, POLLIN, 0 };

    /* Nothing was begun yet. */
    CHECK_INT(uringaio_deadline(&one, &soon), 0);
    CHECK_FAILS(uringaio_deadline(NULL, &soon), EINVAL);
    CHECK_FAILS(uringaio_deadline(&one, &(struct timespec){ -1, 0 }), EINVAL);
    CHECK_FAILS(uringaio_deadline(&one, &(struct timespec){ 0, 1000000000 }), EINVAL);

    uringaio_sigevent_eventfd(&one.aio_sigevent, counter);
    CHECK_INT(aio_read(&one), 0);
    CHECK_INT(uringaio_deadline(&one, &soon), 0);
    CHECK_INT(poll(&readable, 1, DEADLINE_SECONDS * 1000), 1);
    CHECK_INT(aio_error(&one), ETIMEDOUT);
    CHECK_INT(aio_waitcomplete(&got, NULL), -1);
    CHECK_INT(errno, ETIMEDOUT);
    CHECK(got == &one);
    CHECK_INT(write(ends[0][1], "abc", 3), 3);
    read_whole(ends[0][0], next, 3);
    CHECK_INT(memcmp(next, "abc", 3), 0);
    CHECK_INT(memcmp(in, "???????", 7), 0);
    CHECK_INT(uringaio_deadline(&one, &soon), 0); /* it has ended */
    CHECK_INT(aio_error(&one), ETIMEDOUT);

    /* A request that ends in time, and the next with its aiocb. */
    CHECK_INT(aio_read(&one), 0);
    CHECK_INT(uringaio_deadline(&one, &soon), 0);
    CHECK_INT(write(ends[0][1], "abc", 3), 3);
    AWAIT_CB(&one);
    if (aio_error(&one) == ETIMEDOUT) /* on a machine that slept meanwhile */
        read_whole(ends[0][0], next, 3);
    CHECK_INT(aio_read(&one), 0);
    let_time_pass();
    CHECK_PENDING(&one);
    /* Removed, and replaced by a later one, and by none at all. */
    CHECK_INT(uringaio_deadline(&one, &never), 0);
    CHECK_INT(uringaio_deadline(&one, NULL), 0);
    let_time_pass();
    CHECK_PENDING(&one);
    CHECK_INT(uringaio_deadline(&one, &never), 0);
    CHECK_INT(uringaio_deadline(&one, &(struct timespec){ 0, 0 }), 0);
    CHECK_ENDS_WITH(&one, ETIMEDOUT);
    /* Cancelled before: that is what it ends with. */
    CHECK_INT(aio_read(&one), 0);
    CHECK_INT(uringaio_deadline(&one, &never), 0);
    CHECK_INT(aio_cancel(ends[0][0], &one), AIO_CANCELED);
    CHECK_INT(aio_error(&one), ECANCELED);

    /* Many; each second one has no deadline. */
    for (int i = 0; i < N; i++) {
        cb[i] = blocked(ends[i], &bytes[i], 1);
        CHECK_INT(aio_read(&cb[i]), 0);
        if (i % 2)
            CHECK_INT(uringaio_deadline(&cb[i], i % 4 == 1 ? &soon : &later), 0);
    }
    for (int i = 1; i < N; i += 2)
        CHECK_ENDS_WITH(&cb[i], ETIMEDOUT);
    for (int i = 0; i < N; i += 2) {
        CHECK_PENDING(&cb[i]);
        CHECK_INT(write(ends[i][1], "x", 1), 1);
        CHECK_DONE(&cb[i], 1);
    }

    /* One that waits for room, and one behind it; what a disk is at work on ends with its own result, or in time. */
    fill_up(ends[1][1]);
    cb[0] = make_cb(ends[1][1], "never", 5, 0);
    cb[1] = make_cb(ends[1][1], "never", 5, 0);
    CHECK_INT(aio_write(&cb[0]), 0);
    CHECK_INT(aio_write(&cb[1]), 0);
    CHECK_INT(uringaio_deadline(&cb[1], &soon), 0);
    CHECK_ENDS_WITH(&cb[1], ETIMEDOUT);
    CHECK_PENDING(&cb[0]);
    CHECK_INT(uringaio_deadline(&cb[0], &soon), 0);
    CHECK_ENDS_WITH(&cb[0], ETIMEDOUT);
    for (int i = 0; i < 100; i++) {
        cb[0] = make_cb(direct, block, 4096, i % 16 * 4096);
        memset(block, 0, 4096);
        CHECK_INT(aio_read(&cb[0]), 0);
        CHECK_INT(uringaio_deadline(&cb[0], &(struct timespec){ 0, 0 }), 0);
        AWAIT_CB(&cb[0]);
        if (aio_error(&cb[0]) == 0) {
            CHECK_INT(aio_return(&cb[0]), 4096);
            check_pattern_at(block, 4096, 0, i % 16 * 4096);
        } else
            CHECK_ENDS_WITH(&cb[0], ETIMEDOUT);
    }
    return 0;
}
