/* The main thread may leave with pthread_exit while others go on: its requests and theirs end [B13]. */
#include "aiocb.h"
#include "process.h"

static int ends[2];
static char in[2];
static struct aiocb cb;
static pid_t main_tid;

static void *rest(void *unused)
{
    char state[64];

    (void)unused;
    WAIT_UNTIL(status_line(main_tid, "State", state, sizeof state) && state[0] == 'Z');
    CHECK_PENDING(&cb);
    CHECK_INT(write(ends[1], "x", 1), 1);
    CHECK_DONE(&cb, 1);
    struct aiocb own = make_cb(ends[0], &in[1], 1, 0);
    CHECK_INT(aio_read(&own), 0);
    CHECK_INT(write(ends[1], "y", 1), 1);
    CHECK_DONE(&own, 1);
    CHECK_INT(memcmp(in, "xy", 2), 0);
    exit(0);
}

int main(void)
{
    make_pipe(ends);
    main_tid = this_thread();
    cb = make_cb(ends[0], &in[0], 1, 0);
    CHECK_INT(aio_read(&cb), 0);
    start_thread(rest, NULL);
    pthread_exit(NULL);
}
