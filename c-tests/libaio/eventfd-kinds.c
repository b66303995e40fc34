/* EFD_SEMAPHORE and EFD_NONBLOCK eventfds count the same (A3). */
#include "libaio-test.h"

int main(void)
{
    static const int kinds[] = {0, EFD_SEMAPHORE, EFD_NONBLOCK, EFD_SEMAPHORE | EFD_NONBLOCK, EFD_CLOEXEC};
    int fd = scratch(O_RDWR | O_DIRECT, 65536);
    io_context_t context = context_of(8);
    struct io_event events[5];
    struct iocb iocbs[5], *list[5];
    char *buffer = aligned(5 * 4096);

    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        int efd = eventfd(0, kinds[k]), sum = 0;

        CHECK(efd >= 0);
        for (int i = 0; i < 5; i++) {
            list[i] = &iocbs[i];
            io_prep_pread(&iocbs[i], fd, buffer + i * 4096, 4096, i * 4096);
            io_set_eventfd(&iocbs[i], efd);
        }
        EQ(io_submit(context, 5, list), 5);
        while (sum < 5) {
            struct pollfd readable = {efd, POLLIN, 0};
            unsigned long long count = 0;

            EQ(poll(&readable, 1, PATIENCE * 1000), 1);
            EQ(read(efd, &count, sizeof(count)), 8);
            if (kinds[k] & EFD_SEMAPHORE)
                EQ(count, 1);
            sum += (int)count;
        }
        EQ(sum, 5);
        EQ(io_getevents(context, 5, 5, events, NULL), 5);
        struct pollfd readable = {efd, POLLIN, 0};
        EQ(poll(&readable, 1, 0), 0);
        close(efd);
    }
    EQ(io_destroy(context), 0);
    return 0;
}
