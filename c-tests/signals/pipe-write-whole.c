// face: libaio
/* A blocking write of 1 MiB to a pipe stays whole while AIO of the same thread completes: nothing cuts it short [C1]. */
#include "iocb.h"

#define SIZE (1 << 20)

static int ends[2];
static io_context_t context;

static void *reader(void *unused)
{
    static char data[30000];
    long sum = 0;

    for (int round = 0; round < 8; round++)
        for (sum = 0; sum < SIZE;) {
            ssize_t n = read(ends[0], data, SIZE - sum < (long)sizeof(data) ? (size_t)(SIZE - sum) : sizeof(data));

            CHECK(n > 0);
            check_pattern_at(data, (size_t)n, 0, sum);
            sum += n;
        }
    return unused;
}

int main(void)
{
    int fd = pattern_file(O_RDWR | O_DIRECT, 64 * 16384, 0), polled[2];
    char *buffer = aligned(64 * 16384), *out = malloc(SIZE), byte;
    struct iocb iocbs[64], poll, *list[64], *polls = &poll;
    struct io_event events[65];
    pthread_t thread;

    CHECK(out != NULL);
    CHECK(pipe(ends) == 0 && pipe(polled) == 0);
    fill_pattern_at(out, SIZE, 0, 0);
    context = make_context(65);
    CHECK(pthread_create(&thread, NULL, reader, NULL) == 0);
    for (int round = 0; round < 8; round++) {
        for (int i = 0; i < 64; i++) {
            list[i] = &iocbs[i];
            io_prep_pread(&iocbs[i], fd, buffer + i * 16384, 16384, i * 16384);
        }
        io_prep_poll(&poll, polled[0], POLLIN);
        CHECK_INT(io_submit(context, 1, &polls), 1);
        CHECK_INT(io_submit(context, 64, list), 64);
        CHECK_INT(write(ends[1], out, SIZE), SIZE);
        CHECK_INT(write(polled[1], "x", 1), 1);
        reap(context, 65, events);
        CHECK_INT(read(polled[0], &byte, 1), 1);
    }
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
