// face: libaio
/* IOCB_FLAG_RESFD: the eventfd counts exactly one per completion, and the event is in the ring before the count
   [A3] (tgt hangs on a wrong count). */
#include "iocb.h"

#define DEPTH 32
#define TOTAL 3000

int main(void)
{
    int fd = pattern_file(O_RDWR, 1 << 20, 0), direct = reopen(fd, O_RDWR | O_DIRECT), efd = eventfd(0, EFD_CLOEXEC);
    io_context_t context = make_context(DEPTH);
    struct iocb iocbs[DEPTH], *list[DEPTH];
    char *buffer = aligned(DEPTH * 4096);
    unsigned long long counted = 0;

    CHECK(efd >= 0);
    for (int done = 0; done < TOTAL;) {
        int want = 1 + done % DEPTH, got = 0;

        for (int i = 0; i < want; i++) {
            list[i] = &iocbs[i];
            io_prep_pread(&iocbs[i], i % 2 ? fd : direct, buffer + i * 4096, 4096, i * 4096);
            if (i % 5 == 4)
                io_prep_fsync(&iocbs[i], fd);
            if (i % 7 == 6)
                iocbs[i].u.c.offset = 1; /* fails, at submit (fsync) or with an event (direct) */
            if (i % 5 == 4 && i % 7 == 6)
                iocbs[i].u.c.offset = 0;
            io_set_eventfd(&iocbs[i], efd);
        }
        CHECK_INT(io_submit(context, want, list), want);
        while (got < want) {
            struct pollfd readable = {efd, POLLIN, 0};
            unsigned long long count;
            struct io_event event;

            CHECK_INT(poll(&readable, 1, DEADLINE_SECONDS * 1000), 1);
            CHECK_INT(read(efd, &count, sizeof(count)), 8);
            counted += count;
            /* What was counted is there. */
            for (unsigned long long i = 0; i < count; i++) {
                if (!ring_take(context, &event))
                    FAIL("counted %llu, found %llu", count, i);
                got++;
            }
            CHECK(got <= want);
        }
        done += want;
        CHECK_INT(counted, done);
        none_left(context);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
