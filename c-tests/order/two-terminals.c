/* Two pseudo-terminals do not wait for each other, and the lines of one are read in the order of the calls [B7]. */
#include "aiocb.h"

#include <pty.h>
#include <termios.h>

#define N 10

static void open_terminal(int *master, int *terminal)
{
    if (openpty(master, terminal, NULL, NULL, NULL) == -1)
        SKIP("openpty: %s", strerror(errno));
}

int main(void)
{
    int master[2], terminal[2];
    char in[2][N][32], line[32];
    struct aiocb cb[2][N];

    for (int t = 0; t < 2; t++) {
        open_terminal(&master[t], &terminal[t]);
        for (int i = 0; i < N; i++) {
            cb[t][i] = make_cb(terminal[t], in[t][i], sizeof in[t][i], 0);
            CHECK_INT(aio_read(&cb[t][i]), 0);
        }
    }
    /* The second gets its lines while the first has none. */
    for (int t = 1; t >= 0; t--) {
        for (int i = 0; i < N; i++) {
            int length = snprintf(line, sizeof line, "%d: line %d\n", t, i);

            CHECK_INT(write(master[t], line, length), length);
            CHECK_DONE(&cb[t][i], length);
            CHECK_INT(memcmp(in[t][i], line, length), 0);
        }
        if (t == 1)
            CHECK_PENDING(&cb[0][0]);
    }
    return 0;
}
