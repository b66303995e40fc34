/* Under RLIMIT_AS the calls succeed or fail with EAGAIN, and what was accepted ends [B5]. */
#include "aiocb.h"
#include "process.h"

#define N 20000

static char in[N];
static struct aiocb cb[N];

int main(void)
{
    int ends[2], accepted = 0;
    char size[64];

    make_pipe(ends);
    CHECK(status_line(0, "VmSize", size, sizeof size));
    set_limit(RLIMIT_AS, (rlim_t)atol(size) * 1024 + (64 << 20));
    for (int i = 0; i < N; i++) {
        cb[i] = make_cb(ends[0], &in[i], 1, 0);
        if (aio_read(&cb[i]) == -1) {
            CHECK_INT(errno, EAGAIN);
            break;
        }
        accepted++;
    }
    CHECK(accepted > 0);
    for (int done = 0; done < accepted;) {
        static char out[4096];
        int now = accepted - done < 4096 ? accepted - done : 4096;

        memset(out, 'x', sizeof out);
        CHECK_INT(write(ends[1], out, now), now);
        for (int i = 0; i < now; i++)
            CHECK_DONE(&cb[done + i], 1);
        done += now;
    }
    return 0;
}
