/* Every iocb has its own eventfd, or none: each counts its own completions and no others (A3). */
#include "libaio-test.h"

int main(void)
{
    int fd = scratch(O_RDWR | O_DIRECT, 1 << 20), efds[3];
    io_context_t context = context_of(64);
    struct iocb iocbs[48], *list[48];
    struct io_event events[48];
    char *buffer = aligned(48 * 4096);

    for (int i = 0; i < 3; i++)
        CHECK((efds[i] = eventfd(100, EFD_NONBLOCK)) >= 0);
    for (int i = 0; i < 48; i++) {
        list[i] = &iocbs[i];
        io_prep_pread(&iocbs[i], fd, buffer + i * 4096, 4096, i * 4096);
        /* 0, 12, 24 and 12 of them without. */
        if (i % 4)
            io_set_eventfd(&iocbs[i], efds[i % 4 == 1 ? 1 : 2]);
    }
    EQ(io_submit(context, 48, list), 48);
    for (int i = 0; i < 3; i++) {
        static const unsigned long long want[] = {100, 112, 124};
        unsigned long long sum = 0;

        /* The count follows the event, so it is waited for. */
        for (double end = seconds() + PATIENCE; sum < want[i];) {
            unsigned long long count = 0;

            if (read(efds[i], &count, sizeof(count)) == 8)
                sum += count;
            else
                usleep(500);
            if (seconds() > end)
                FAIL("eventfd %d counted %llu, expected %llu", i, sum, want[i]);
        }
        EQ(sum, want[i]);
    }
    reap(context, 48, events);
    EQ(io_destroy(context), 0);
    for (int i = 0; i < 3; i++) {
        unsigned long long count;

        EQ(read(efds[i], &count, sizeof(count)), -1);
    }
    return 0;
}
