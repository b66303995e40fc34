/* exec with requests in flight: the new program starts, has the old one's descriptors and no others, and does its own AIO
   [C2] [C3]. */
#include "aiocb.h"
#include "process.h"

int main(int argc, char **argv)
{
    int ends[2];
    char in = '?';

    if (argc > 1) {
        int read_end = atoi(argv[1]), write_end = atoi(argv[2]);

        CHECK_INT(count_descriptors(), atoi(argv[3]));
        CHECK_INT(count_threads(), 1);
        struct aiocb cb = make_cb(read_end, &in, 1, 0);
        CHECK_INT(aio_read(&cb), 0);
        CHECK_PENDING(&cb);
        CHECK_INT(write(write_end, "y", 1), 1);
        CHECK_DONE(&cb, 1);
        CHECK_INT(in, 'y');
        return 0;
    }

    MUST(pipe(ends));
    int before = count_descriptors();
    struct aiocb cb = make_cb(ends[0], &in, 1, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_PENDING(&cb);
    char numbers[3][16];
    snprintf(numbers[0], 16, "%d", ends[0]);
    snprintf(numbers[1], 16, "%d", ends[1]);
    snprintf(numbers[2], 16, "%d", before);
    execl("/proc/self/exe", argv[0], numbers[0], numbers[1], numbers[2], NULL);
    FAIL("exec: %s", strerror(errno));
}
