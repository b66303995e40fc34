// face: libaio
/* EFD_SEMAPHORE and EFD_NONBLOCK eventfds count the same [A3]. */
#include "iocb.h"

int main(void)
{
    static const int kinds[] = {0, EFD_SEMAPHORE, EFD_NONBLOCK, EFD_SEMAPHORE | EFD_NONBLOCK, EFD_CLOEXEC};
    int fd = pattern_file(O_RDWR | O_DIRECT, 65536, 0);
    io_context_t context = make_context(8);
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
        CHECK_INT(io_submit(context, 5, list), 5);
        while (sum < 5) {
            struct pollfd readable = {efd, POLLIN, 0};
            unsigned long long count = 0;

            CHECK_INT(poll(&readable, 1, DEADLINE_SECONDS * 1000), 1);
            CHECK_INT(read(efd, &count, sizeof(count)), 8);
            if (kinds[k] & EFD_SEMAPHORE)
                CHECK_INT(count, 1);
            sum += (int)count;
        }
        CHECK_INT(sum, 5);
        CHECK_INT(io_getevents(context, 5, 5, events, NULL), 5);
        struct pollfd readable = {efd, POLLIN, 0};
        CHECK_INT(poll(&readable, 1, 0), 0);
        close(efd);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
