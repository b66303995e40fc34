/* O_APPEND that fcntl sets on an open file counts from then on; O_APPEND that it takes away does not [B7]. */
#include "aiocb.h"

#define N 100

int main(void)
{
    int fd = temp_file(O_RDWR);
    char lines[N][8], all[N * 7];
    struct aiocb cb[N];

    CHECK_INT(write(fd, "begin: ", 7), 7);
    MUST(fcntl(fd, F_SETFL, O_APPEND));
    for (int i = 0; i < N; i++) {
        snprintf(lines[i], sizeof lines[i], "%06d\n", i);
        cb[i] = make_cb(fd, lines[i], 7, 0);
        CHECK_INT(aio_write(&cb[i]), 0);
    }
    for (int i = 0; i < N; i++)
        CHECK_DONE(&cb[i], 7);
    CHECK_INT(pread(fd, all, sizeof all, 7), sizeof all);
    for (int i = 0; i < N; i++)
        CHECK_INT(memcmp(all + i * 7, lines[i], 7), 0);

    MUST(fcntl(fd, F_SETFL, 0));
    cb[0] = make_cb(fd, "BEGIN", 5, 0);
    CHECK_INT(aio_write(&cb[0]), 0);
    CHECK_DONE(&cb[0], 5);
    CHECK_INT(lseek(fd, 0, SEEK_END), 7 + sizeof all);
    CHECK_INT(pread(fd, all, 6, 0), 6);
    CHECK_INT(memcmp(all, "BEGIN:", 6), 0);
    return 0;
}
