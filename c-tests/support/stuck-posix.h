/* While a thread with requests in flight cannot run, every POSIX AIO call of the others returns: the body of the
   programs isolation/stuck-*-posix.c. */
#ifndef STUCK_POSIX_H
#define STUCK_POSIX_H

#include "aiocb.h"
#include "behaviour.h"
#include "stuck-thread.h"

#define BLOCK 4096
#define IN_FLIGHT 4
#define WARM_UP_ROUNDS 200 /* so that whatever a library learns of a thread, it has learnt */

enum { ERROR, SUSPEND, CANCEL, CANCEL_ALL, SYNC, FLAGS, UNMAP, CLOSE, GROUPS };

static struct {
    struct aiocb cbs[IN_FLIGHT];
    unsigned char *buffer;
    int fd;
} uses[GROUPS];

static void submit_group(int g)
{
    for (int i = 0; i < IN_FLIGHT; i++) {
        uses[g].cbs[i] = make_cb(uses[g].fd, uses[g].buffer + i * BLOCK, BLOCK, i * BLOCK);
        CHECK_INT(aio_read(&uses[g].cbs[i]), 0);
    }
}

static void stuck_prepare(void)
{
    for (int g = 0; g < GROUPS; g++) {
        for (int round = 0; round < WARM_UP_ROUNDS; round++) {
            submit_group(g);
            for (int i = 0; i < IN_FLIGHT; i++)
                CHECK_DONE(&uses[g].cbs[i], BLOCK);
        }
    }
    for (int g = 0; g < GROUPS; g++)
        submit_group(g);
}

static void check_others(enum stuck_kind kind)
{
    struct timespec two_seconds = { 2, 0 };
    struct aiocb sync;
    char name[16];
    int flags, other, answer;

    start_deadline();
    stuck_kind_is(kind);
    for (int g = 0; g < GROUPS; g++) {
        snprintf(name, sizeof name, "direct-%d", g);
        uses[g].fd = scratch_file(name, O_RDWR | O_DIRECT, IN_FLIGHT * BLOCK, g);
        uses[g].buffer = new_pages(IN_FLIGHT * BLOCK);
    }
    other = scratch_file("other", O_RDWR, BLOCK, 1);
    stuck_start(stuck_prepare);

    for (int i = 0; i < IN_FLIGHT; i++)
        WAIT_UNTIL(aio_error(&uses[ERROR].cbs[i]) == 0);
    STEP("aio_suspend with {2,0}");
    for (int i = 0; i < IN_FLIGHT; i++) {
        const struct aiocb *list[1] = { &uses[SUSPEND].cbs[i] };

        CHECK_INT(aio_suspend(list, 1, &two_seconds), 0);
        CHECK_INT(aio_return(&uses[SUSPEND].cbs[i]), BLOCK);
    }
    STEP("aio_cancel of one request");
    answer = aio_cancel(uses[CANCEL].fd, &uses[CANCEL].cbs[0]);
    CHECK(answer == AIO_ALLDONE || answer == AIO_CANCELED || answer == AIO_NOTCANCELED);
    STEP("aio_cancel of all requests of a descriptor");
    answer = aio_cancel(uses[CANCEL_ALL].fd, NULL);
    CHECK(answer == AIO_ALLDONE || answer == AIO_CANCELED || answer == AIO_NOTCANCELED);
    STEP("aio_fsync behind its requests");
    sync = make_cb(uses[SYNC].fd, NULL, 0, 0);
    CHECK_INT(aio_fsync(O_SYNC, &sync), 0);
    CHECK_DONE(&sync, 0);
    STEP("fcntl(F_SETFL)");
    flags = MUST(fcntl(uses[FLAGS].fd, F_GETFL));
    MUST(fcntl(uses[FLAGS].fd, F_SETFL, flags & ~O_DIRECT));
    STEP("munmap");
    MUST(munmap(uses[UNMAP].buffer, IN_FLIGHT * BLOCK));
    STEP("close and dup2");
    MUST(close(uses[CLOSE].fd));
    MUST(dup2(other, uses[FLAGS].fd));

    stuck_end();
    STEP("exit");
    exit(0);
}

#endif
