/* The body of fuse-flush-posix.c and the like, which say what it does. */
#include "one-request.h"

#include <sys/file.h>

#include "fuse-server.h"

#define ROUNDS 100

/* What is done when the file system is mounted and nothing has been asked for yet. */
#ifndef BEFORE_THE_FIRST
#define BEFORE_THE_FIRST() ((void)0)
#endif

int main(void)
{
    unsigned char *buffer;
    int fd, other;

    start_deadline();
    fuse_start(1 << 16, 1);
    BEFORE_THE_FIRST();
    buffer = new_pages(4096);
    for (int round = 0; round < 3; round++) {
        int before = atomic_load(&fuse->flushes);

        fd = fuse_open("a", O_RDWR | (round == 1 ? O_DIRECT : 0) | (round == 2 ? O_APPEND : 0));
        MUST(flock(fd, LOCK_EX));
        for (int i = 0; i < ROUNDS; i++) {
            CHECK_INT(one_request(ONE_READ, fd, buffer, 4096, 4096 * (i % 16)), 4096);
            CHECK_INT(one_request(ONE_WRITE, fd, buffer, 4096, 4096 * (i % 16)), 4096);
            CHECK_INT(one_request(ONE_FSYNC, fd, NULL, 0, 0), 0);
        }
        CHECK_INT(atomic_load(&fuse->flushes) - before, 0);
        MUST(close(fd));
        other = fuse_open("a", O_RDONLY);
        MUST(flock(other, LOCK_EX | LOCK_NB));
        MUST(close(other));
    }
    return 0;
}
