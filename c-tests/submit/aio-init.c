/* aio_init takes any settings, before and after the first request, and the requests go on [B14]. */
#include "aiocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1);
    char in[10];
    struct aioinit settings[] = {
        { .aio_threads = 1, .aio_num = 1 },
        { .aio_threads = 20, .aio_num = 64, .aio_idle_time = 1 },
        { .aio_threads = 0, .aio_num = 0 },
        { .aio_threads = 1000, .aio_num = 100000, .aio_idle_time = 1000000 },
    };

    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        aio_init(&settings[i]);
        for (int j = 0; j < 5; j++) {
            struct aiocb cb = make_cb(fd, in, sizeof in, j);

            CHECK_INT(aio_read(&cb), 0);
            CHECK_DONE(&cb, sizeof in);
        }
    }
    return 0;
}
