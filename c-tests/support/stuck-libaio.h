/* While a thread with requests in flight cannot run, every libaio call of the others returns: the body of the programs
   isolation/stuck-*-libaio.c. */
#ifndef STUCK_LIBAIO_H
#define STUCK_LIBAIO_H

#include "behaviour.h"
#include "iocb.h"
#include "stuck-thread.h"

#define BLOCK 4096
#define IN_FLIGHT 4
#define WARM_UP_ROUNDS 200 /* so that whatever a library learns of a thread, it has learnt */

enum { IN_MEMORY, AT_ONCE, TWO_SECONDS, FLAGS, UNMAP, CLOSE, DESTROY, CONTEXTS };

static struct {
    io_context_t context;
    struct iocb iocbs[IN_FLIGHT];
    unsigned char *buffer;
    int fd;
} uses[CONTEXTS];

static void stuck_prepare(void)
{
    struct io_event events[IN_FLIGHT];
    struct iocb *list[IN_FLIGHT];

    for (int c = 0; c < CONTEXTS; c++) {
        uses[c].context = make_context(64);
        for (int i = 0; i < IN_FLIGHT; i++) {
            io_prep_pread(&uses[c].iocbs[i], uses[c].fd, uses[c].buffer + i * BLOCK, BLOCK, i * BLOCK);
            list[i] = &uses[c].iocbs[i];
        }
        for (int round = 0; round < WARM_UP_ROUNDS; round++) {
            CHECK_INT(io_submit(uses[c].context, IN_FLIGHT, list), IN_FLIGHT);
            reap(uses[c].context, IN_FLIGHT, events);
        }
    }
    for (int c = 0; c < CONTEXTS; c++) {
        for (int i = 0; i < IN_FLIGHT; i++)
            list[i] = &uses[c].iocbs[i];
        CHECK_INT(io_submit(uses[c].context, IN_FLIGHT, list), IN_FLIGHT);
    }
}

static void check_others(enum stuck_kind kind)
{
    struct timespec no_time = { 0, 0 }, two_seconds = { 2, 0 }, short_time = { 0, 100000000 };
    struct io_event events[IN_FLIGHT];
    char name[16];
    int flags, got = 0, other;

    start_deadline();
    stuck_kind_is(kind);
    for (int c = 0; c < CONTEXTS; c++) {
        snprintf(name, sizeof name, "direct-%d", c);
        uses[c].fd = scratch_file(name, O_RDWR | O_DIRECT, IN_FLIGHT * BLOCK, c);
        uses[c].buffer = new_pages(IN_FLIGHT * BLOCK);
    }
    other = scratch_file("other", O_RDWR, BLOCK, 1);
    stuck_start(stuck_prepare);

    WAIT_UNTIL(ring_ready(uses[IN_MEMORY].context) == IN_FLIGHT);
    STEP("io_getevents with {0,0}");
    while (got < IN_FLIGHT) {
        int n = io_getevents(uses[AT_ONCE].context, 0, IN_FLIGHT, events, &no_time);

        CHECK(n >= 0);
        got += n;
    }
    CHECK_INT(io_getevents(uses[AT_ONCE].context, 1, 1, events, &no_time), 0);
    STEP("io_getevents with {2,0}");
    CHECK_INT(io_getevents(uses[TWO_SECONDS].context, IN_FLIGHT, IN_FLIGHT, events, &two_seconds), IN_FLIGHT);
    STEP("io_getevents with a time limit and nothing in flight");
    CHECK_INT(io_getevents(uses[TWO_SECONDS].context, 1, 1, events, &short_time), 0);
    STEP("fcntl(F_SETFL)");
    flags = MUST(fcntl(uses[FLAGS].fd, F_GETFL));
    MUST(fcntl(uses[FLAGS].fd, F_SETFL, flags & ~O_DIRECT));
    STEP("munmap");
    MUST(munmap(uses[UNMAP].buffer, IN_FLIGHT * BLOCK));
    STEP("close and dup2");
    MUST(close(uses[CLOSE].fd));
    MUST(dup2(other, uses[FLAGS].fd));
    STEP("io_destroy");
    CHECK_INT(io_destroy(uses[DESTROY].context), 0);

    stuck_end();
    STEP("io_destroy of the rest");
    for (int c = 0; c < DESTROY; c++)
        CHECK_INT(io_destroy(uses[c].context), 0);
    STEP("exit");
    exit(0);
}

#endif
