// face: libaio
/* One io_submit takes O_DIRECT, buffered, vectored, appending and stream requests, good and bad: each has its own result
   [A4] [A6] (EFAULT, EINVAL and short counts are those of preadv(2)), again and again, with more than a thousand in flight,
   and in several contexts at once. */
#include "iocb.h"
#include "direct.h"

#define CONTEXTS 6
#define DEEP 1500
#define MANY 200

static long event_of(struct io_event *events, int count, struct iocb *iocb)
{
    for (int i = 0; i < count; i++)
        if (events[i].obj == iocb)
            return (long)events[i].res;
    FAIL("an event is missing");
}

int main(void)
{
    int fd = direct_file(), buffered = reopen(fd, O_RDWR), longer = pattern_file(O_RDWR | O_DIRECT, BLOCK, 0), ends[2];
    io_context_t contexts[CONTEXTS], deep = make_context(DEEP);
    char *buffer = aligned(MANY * BLOCK), byte, *bad = no_access();
    struct iovec vectors[MANY];
    struct iocb *iocbs = calloc(DEEP, sizeof(*iocbs)), **list = calloc(DEEP, sizeof(*list));
    struct io_event *events = calloc(DEEP, sizeof(*events));

    CHECK(pipe(ends) == 0);
    for (int i = 0; i < CONTEXTS; i++) {
        contexts[i] = make_context(64);
        read_blocks(contexts[i], fd, 100, 4);
    }
    for (int round = 0; round < 60; round++) {
        io_context_t context = contexts[round % CONTEXTS];

        for (int i = 0; i < 12; i++)
            list[i] = &iocbs[i];
        for (int i = 0; i < MANY; i++)
            vectors[i] = (struct iovec){buffer + i * BLOCK, 512};
        memset(buffer, 0, MANY * BLOCK);
        io_prep_pread(&iocbs[0], fd, buffer, BLOCK, BLOCK);
        io_prep_pread(&iocbs[1], buffered, buffer + BLOCK, 100, 77);
        io_prep_pwrite(&iocbs[2], ends[1], "x", 1, 0);
        io_prep_pread(&iocbs[3], ends[0], &byte, 1, 0);
        io_prep_pread(&iocbs[4], fd, bad, BLOCK, 0);               /* EFAULT */
        io_prep_pread(&iocbs[5], fd, buffer + 2 * BLOCK + 1, 511, 3); /* EINVAL */
        io_prep_pread(&iocbs[6], fd, buffer + 4 * BLOCK, 4 * BLOCK, (BLOCKS - 1) * BLOCK); /* short */
        io_prep_pread(&iocbs[7], fd, buffer + 9 * BLOCK, BLOCK, BLOCKS * BLOCK);           /* the end */
        io_prep_preadv(&iocbs[8], fd, vectors + 16, MANY - 16, 0);
        io_prep_pwrite(&iocbs[9], longer, buffer + 10 * BLOCK, BLOCK, (long long)(round + 1) * BLOCK); /* longer */
        io_prep_preadv(&iocbs[10], fd, vectors + 8, 3, 512);
        io_prep_fdsync(&iocbs[11], longer);
        CHECK_INT(io_submit(context, 12, list), 12);
        /* They have been taken. */
        struct iovec kept[MANY];
        memcpy(kept, vectors, sizeof(kept));
        memset(vectors, 0xff, sizeof(vectors));
        reap(context, 12, events);
        CHECK_INT(event_of(events, 12, &iocbs[0]), BLOCK);
        CHECK_INT(event_of(events, 12, &iocbs[1]), 100);
        CHECK_INT(event_of(events, 12, &iocbs[2]), 1);
        CHECK_INT(event_of(events, 12, &iocbs[3]), 1);
        CHECK_INT(event_of(events, 12, &iocbs[4]), -EFAULT);
        CHECK_INT(event_of(events, 12, &iocbs[5]), -EINVAL);
        CHECK_INT(event_of(events, 12, &iocbs[6]), BLOCK);
        CHECK_INT(event_of(events, 12, &iocbs[7]), 0);
        CHECK_INT(event_of(events, 12, &iocbs[8]), 512 * (MANY - 16));
        CHECK_INT(event_of(events, 12, &iocbs[9]), BLOCK);
        CHECK_INT(event_of(events, 12, &iocbs[10]), 3 * 512);
        CHECK_INT(event_of(events, 12, &iocbs[11]), 0);
        check_pattern_at(buffer, 512, 0, BLOCK);
        for (int i = 16; i < MANY; i++)
            check_pattern_at(kept[i].iov_base, 512, 0, (i - 16) * 512);
        for (int i = 8; i < 9; i++)
            check_pattern_at(kept[i].iov_base, 512, 0, 512 * (i - 8 + 1));
        /* Refused in the middle: what came before is in flight. */
        iocbs[1].aio_fildes = -1;
        CHECK_INT(io_submit(context, 2, list), 1);
        reap(context, 1, events);
        CHECK(events[0].obj == &iocbs[0]);
        none_left(context);
    }
    read_blocks(deep, fd, 100, 8);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < DEEP; i++) {
            list[i] = &iocbs[i];
            io_prep_pread(&iocbs[i], fd, buffer + i % MANY * BLOCK, 512, i % BLOCKS * BLOCK);
        }
        for (int done = 0; done < DEEP;) {
            int ret = io_submit(deep, DEEP - done, list + done);

            CHECK(ret > 0);
            done += ret;
        }
        reap(deep, DEEP, events);
        for (int i = 0; i < DEEP; i++)
            CHECK_INT((long)events[i].res, 512);
        none_left(deep);
    }
    for (int i = 0; i < CONTEXTS; i++)
        CHECK_INT(io_destroy(contexts[i]), 0);
    return 0;
}
