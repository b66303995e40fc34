/* A FIFO opened by name, for both directions: a read waits for its write, in order, and a write queued behind a full FIFO
   does not stop the reads that make room [B7]. */
// oracle-deadline: 2
#include "aiocb.h"

#define N 40
#define SIZE 4096

int main(void)
{
    static char out[N][SIZE], in[N][SIZE];
    static struct aiocb write_cb[N], read_cb[N];
    const char *path = test_path("fifo");

    MUST(mkfifo(path, 0600));
    int fd = MUST(open(path, O_RDWR | O_CLOEXEC));
    for (int i = 0; i < N; i++) {
        fill_pattern(out[i], SIZE, i);
        write_cb[i] = make_cb(fd, out[i], SIZE, 0);
        CHECK_INT(aio_write(&write_cb[i]), 0);
    }
    /* 160 KiB are more than a FIFO takes: the last cannot be done. */
    CHECK_PENDING(&write_cb[N - 1]);
    for (int i = 0; i < N; i++) {
        read_cb[i] = make_cb(fd, in[i], SIZE, 0);
        CHECK_INT(aio_read(&read_cb[i]), 0);
    }
    for (int i = 0; i < N; i++) {
        CHECK_DONE(&read_cb[i], SIZE);
        CHECK(is_pattern(in[i], SIZE, i));
        CHECK_DONE(&write_cb[i], SIZE);
    }
    return 0;
}
