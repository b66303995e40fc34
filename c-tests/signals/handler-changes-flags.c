/* A handler that interrupts aio_read and calls fcntl(F_SETFL), dup2 and close returns at whatever moment it runs [B10]
   (POSIX 2.4.3: these are async-signal-safe). An implementation may have to wait for its own thread there, and that thread
   may be asleep. */
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
    int64_t end = deadline_ns();
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
        if (now_ns() > end)
            FAIL("%d handlers in %d s", (int)handled, DEADLINE_SECONDS);
    }
    return 0;
}
