/* A terminal's output does not wait for its input [B7]. */
// oracle-deadline: 2
#include "aiocb.h"

#include <pty.h>

int main(void)
{
    int master, terminal;
    char in[32], out[32];

    if (openpty(&master, &terminal, NULL, NULL, NULL) == -1)
        SKIP("openpty: %s", strerror(errno));
    struct aiocb read_cb = make_cb(terminal, in, sizeof in, 0), write_cb = make_cb(terminal, "prompt> ", 8, 0);

    CHECK_INT(aio_read(&read_cb), 0);
    CHECK_INT(aio_write(&write_cb), 0);
    CHECK_DONE(&write_cb, 8);
    read_whole(master, out, 8);
    CHECK_INT(memcmp(out, "prompt> ", 8), 0);
    CHECK_PENDING(&read_cb);
    CHECK_INT(write(master, "answer\n", 7), 7);
    CHECK_DONE(&read_cb, 7);
    return 0;
}
