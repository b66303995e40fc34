/* fclose(3) of a stream that has no descriptor, or has one, leaves errno alone when it succeeds, beside AIO as without [C2]
   (glibc's does). */
#include "aiocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 100, 1);
    char in[100], *text;
    size_t length;
    struct aiocb cb = make_cb(fd, in, sizeof in, 0);
    FILE *streams[3];

    CHECK_INT(aio_read(&cb), 0);
    CHECK_DONE(&cb, sizeof in);
    streams[0] = fmemopen(in, sizeof in, "r");
    streams[1] = open_memstream(&text, &length);
    streams[2] = fdopen(fd, "r");
    for (int i = 0; i < 3; i++) {
        CHECK(streams[i] != NULL);
        errno = 4242;
        CHECK_INT(fclose(streams[i]), 0);
        CHECK_INT(errno, 4242);
    }
    return 0;
}
