// face: libaio
/* Looking into the ring and calling io_getevents may be mixed on one context: nothing twice, nothing lost
   [A1] (fio with userspace_reap, Artemis). */
#include "iocb.h"

#define DEPTH 16
#define ROUNDS 300

int main(void)
{
    int fd = pattern_file(O_RDWR, 1 << 20, 0);
    int direct = reopen(fd, O_RDWR | O_DIRECT);
    io_context_t context = make_context(DEPTH);
    struct iocb iocbs[DEPTH], *list[DEPTH];
    char *buffer = aligned(DEPTH * 4096);

    for (int round = 0; round < ROUNDS; round++) {
        unsigned seen = 0;
        int count = 0;

        for (int i = 0; i < DEPTH; i++) {
            list[i] = &iocbs[i];
            io_prep_pread(&iocbs[i], i % 3 ? direct : fd, buffer + i * 4096, 4096, (long long)i * 4096);
            iocbs[i].data = (void *)(uintptr_t)round;
        }
        CHECK_INT(io_submit(context, DEPTH, list), DEPTH);
        while (count < DEPTH) {
            struct io_event events[4];
            int n = 0;

            if (count % 2 == 0)
                while (n < 3 && ring_take(context, &events[n]))
                    n++;
            if (n == 0) {
                reap(context, 1, events);
                n = 1;
            }
            for (int i = 0; i < n; i++) {
                long slot = events[i].obj - iocbs;

                CHECK(slot >= 0 && slot < DEPTH);
                CHECK(!(seen & 1u << slot));
                CHECK_INT((uintptr_t)events[i].data, round);
                CHECK_INT((long)events[i].res, 4096);
                seen |= 1u << slot;
                count++;
            }
        }
        none_left(context);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
