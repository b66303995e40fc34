/* Hundreds of requests that the file system does not answer do not make hundreds of threads, neither the library's nor the
   kernel's own behind io_uring (iou-wrk); all of them end [C4]. */
#include "aiocb.h"
#include "process.h"
#include "fuse-server.h"

#define N 600
/* The library lets the kernel have 64 for files and 256 for what may wait for ever; threads of its own are 64 and 256 too. */
#define MOST (64 + 256 + 10)

int main(void)
{
    static char in[N][512];
    static struct aiocb cb[N];

    fuse_start(1 << 17, 1);
    fuse_open_directly();
    int fd = fuse_open("a", O_RDWR), most = 0;

    fuse_hold(FUSE_HOLD_READS | FUSE_HOLD_AT_ZERO);
    for (int i = 0; i < N; i++) {
        cb[i] = make_cb(fd, in[i], sizeof in[i], 0);
        CHECK_INT(aio_read(&cb[i]), 0);
    }
    /* As many as are let through at a time have reached the file system when no more come. */
    int before = -1, now;
    WAIT_UNTIL(atomic_load(&fuse->reads) > 0);
    for (int quiet = 0; quiet < 50; quiet = now == before ? quiet + 1 : 0, before = now, pause_ms(2)) {
        now = atomic_load(&fuse->reads);
        int threads = count_threads();
        most = threads > most ? threads : most;
    }
    fprintf(stderr, "%d threads for %d requests, %d at a time\n", most, N, now);
    CHECK(most <= MOST);
    fuse_release();
    for (int i = 0; i < N; i++) {
        CHECK_DONE(&cb[i], sizeof in[i]);
        CHECK(is_pattern(in[i], sizeof in[i], 1));
    }
    return 0;
}
