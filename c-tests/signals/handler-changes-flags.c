/* A handler that changes flags of a file by fcntl, duplicates a descriptor over another by dup2 and closes one (POSIX.1 2.4.3:
   async-signal-safe), for which an implementation of AIO may have to wait for its own thread, returns at whatever moment it
   comes: in the midst of aio_read, with that thread asleep, above all. */
#include "direct.h"
#include "storm.h"

#define ROUNDS 3000

static int other, another;

static void handler(void)
{
    fcntl(other, F_SETFL, handled % 2 ? O_APPEND : 0);
    dup2(other, another);
    close(dup(other));
}

int main(void)
{
    int64_t start = now_ns();
    int ends[2];

    other = temp_file(O_RDWR);
    another = temp_file(O_RDWR);
    make_pipe(ends);
    storm(300, handler, SA_RESTART);
    while (handled < ROUNDS) {
        char byte = 0;
        struct aiocb cb = make_cb(ends[0], &byte, 1, 0);

        CHECK_INT(write(ends[1], "x", 1), 1);
        CHECK_INT(aio_read(&cb), 0);
        CHECK_DONE(&cb, 1);
        CHECK(byte == 'x');
        if (now_ns() - start > DEADLINE_SECONDS * 1000000000LL)
            FAIL("%d handlers in %d s", (int)handled, DEADLINE_SECONDS);
    }
    return 0;
}
