// face: libaio
/* Four threads, each with a context and a file of its own: random verified I/O at once [A1] [A11]. */
#include "iocb.h"

static void *work(void *argument)
{
    int fd = (int)(intptr_t)argument;
    io_context_t context = make_context(16);
    char *buffer = aligned(16 * 4096);
    struct iocb iocbs[16], *list[16];
    struct io_event events[16];

    for (int round = 0; round < 100; round++) {
        fill_pattern_at(buffer, 16 * 4096, 0, round + fd);
        for (int writing = 1; writing >= 0; writing--) {
            for (int i = 0; i < 16; i++) {
                list[i] = &iocbs[i];
                io_prep_pread(&iocbs[i], fd, buffer + i * 4096, 4096, (i * 7 + round) % 16 * 4096);
                iocbs[i].aio_lio_opcode = (short)writing;
            }
            CHECK_INT(io_submit(context, 16, list), 16);
            reap(context, 16, events);
            for (int i = 0; i < 16; i++)
                CHECK_INT((long)events[i].res, 4096);
            if (writing)
                memset(buffer, 0, 16 * 4096);
        }
        check_pattern_at(buffer, 16 * 4096, 0, round + fd);
    }
    CHECK_INT(io_destroy(context), 0);
    free(buffer);
    return NULL;
}

int main(void)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++) {
        int fd = pattern_file(i < 3 ? O_RDWR | O_DIRECT : O_RDWR, 65536, 0);

        CHECK(pthread_create(&threads[i], NULL, work, (void *)(intptr_t)fd) == 0);
    }
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    return 0;
}
