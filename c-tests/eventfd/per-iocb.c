// face: libaio
/* Every iocb has its own eventfd, or none: each counts its own completions and no others [A3]. */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, 1 << 20, 0), efds[3];
    io_context_t context = make_context(64);
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
    CHECK_INT(io_submit(context, 48, list), 48);
    for (int i = 0; i < 3; i++) {
        static const unsigned long long want[] = {100, 112, 124};
        unsigned long long sum = 0;

        /* The count follows the event, so it is waited for. */
        for (int64_t end = deadline_ns(); sum < want[i];) {
            unsigned long long count = 0;

            if (read(efds[i], &count, sizeof(count)) == 8)
                sum += count;
            else
                usleep(500);
            if (now_ns() > end)
                FAIL("eventfd %d counted %llu, expected %llu", i, sum, want[i]);
        }
        CHECK_INT(sum, want[i]);
    }
    reap(context, 48, events);
    CHECK_INT(io_destroy(context), 0);
    for (int i = 0; i < 3; i++) {
        unsigned long long count;

        CHECK_INT(read(efds[i], &count, sizeof(count)), -1);
    }
    return 0;
}
