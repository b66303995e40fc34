// face: libaio
/* A program that only ever advances head itself gets every event of a long run once [A1] (QEMU, fio userspace_reap). */
#include "iocb.h"

#define DEPTH 32
#define TOTAL 4000

int main(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, 1 << 20, 0);
    io_context_t context = make_context(DEPTH);
    struct iocb iocbs[DEPTH];
    char *buffer = aligned(DEPTH * 4096);
    int number[DEPTH], started = 0, ended = 0;
    static char seen[TOTAL];
    int64_t end = deadline_ns();

    for (int i = 0; i < DEPTH; i++)
        number[i] = -1;
    while (ended < TOTAL) {
        struct io_event event;

        for (int i = 0; i < DEPTH && started < TOTAL; i++)
            if (number[i] < 0) {
                io_prep_pread(&iocbs[i], fd, buffer + i * 4096, 4096, (long long)(started % 256) * 4096);
                number[i] = started;
                iocbs[i].data = (void *)(uintptr_t)started++;
                submit_one(context, &iocbs[i]);
            }
        while (ring_take(context, &event)) {
            long slot = event.obj - iocbs;

            CHECK(slot >= 0 && slot < DEPTH);
            CHECK_INT((uintptr_t)event.data, number[slot]);
            CHECK_INT((long)event.res, 4096);
            CHECK(!seen[number[slot]]);
            check_pattern_at(buffer + slot * 4096, 64, 0, (long long)(number[slot] % 256) * 4096);
            seen[number[slot]] = 1;
            number[slot] = -1;
            ended++;
        }
        if (now_ns() > end)
            FAIL("%d of %d events came", ended, TOTAL);
    }
    CHECK(ring_of(context)->head == ring_of(context)->tail);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
