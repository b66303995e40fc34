/* A handler that changes O_APPEND by fcntl returns at whatever moment it runs: while its thread starts requests, asks for
   their state or waits for them [B10] (POSIX 2.4.3: fcntl is async-signal-safe). */
#include "direct.h"
#include "storm.h"

#define DEPTH 8

static int other;

static void handler(void)
{
    fcntl(other, F_SETFL, handled % 2 ? O_APPEND : 0);
}

int main(void)
{
    int fd = direct_file();
    int64_t end = deadline_ns();

    other = temp_file(O_RDWR);
    read_blocks(fd, 300);
    storm(500, handler, SA_RESTART);
    while (handled < 1000) {
        struct reads left = { .in = NULL };

        start_reads(fd, &left, DEPTH);
        for (int i = 0; i < DEPTH; i++)
            while (aio_error(&left.cb[i]) == EINPROGRESS)
                ;
        check_reads(&left, DEPTH);
        free(left.in);
        if (now_ns() > end)
            FAIL("%d handlers in %d s", (int)handled, DEADLINE_SECONDS);
    }
    return 0;
}
