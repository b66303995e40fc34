/* One file through several descriptors, of its own open and duplicated, appending and not, read, written and synced at the
   same time: nothing is lost [B7] [B8]. */
#include "aiocb.h"

#define N 60
#define SIZE 512

int main(void)
{
    const char *path = test_path("shared");
    int fd[4];
    static char out[N][SIZE], in[SIZE];
    static struct aiocb cb[N], sync_cb[N];
    int seen[N] = { 0 };

    fd[0] = MUST(open(path, O_RDWR | O_CREAT, 0600));
    fd[1] = MUST(dup(fd[0]));
    fd[2] = MUST(open(path, O_WRONLY | O_APPEND));
    fd[3] = MUST(open(path, O_WRONLY | O_APPEND));

    /* The first half by two descriptors at offsets, synced through whichever. */
    for (int i = 0; i < N; i++) {
        fill_pattern(out[i], SIZE, i);
        out[i][0] = i;
        cb[i] = make_cb(fd[i % 2], out[i], SIZE, i * SIZE);
        CHECK_INT(aio_write(&cb[i]), 0);
        sync_cb[i] = make_cb(fd[i % 4], NULL, 0, 0);
        CHECK_INT(aio_fsync(O_DSYNC, &sync_cb[i]), 0);
    }
    for (int i = 0; i < N; i++) {
        CHECK_DONE(&cb[i], SIZE);
        CHECK_DONE(&sync_cb[i], 0);
    }
    /* The second half appended by two others. */
    for (int i = 0; i < N; i++) {
        cb[i] = make_cb(fd[2 + i % 2], out[i], SIZE, 0);
        CHECK_INT(aio_write(&cb[i]), 0);
    }
    for (int i = 0; i < N; i++)
        CHECK_DONE(&cb[i], SIZE);

    CHECK_INT(lseek(fd[0], 0, SEEK_END), 2 * N * SIZE);
    int last[2] = { -1, -1 };
    for (int i = 0; i < 2 * N; i++) {
        CHECK_INT(pread(fd[0], in, SIZE, i * SIZE), SIZE);
        int which = in[0];

        CHECK(which >= 0 && which < N);
        CHECK_INT(memcmp(in, out[which], SIZE), 0);
        seen[which]++;
        if (i < N) {
            CHECK_INT(which, i);
        } else {
            /* In order for each of the appending descriptors. */
            CHECK(which > last[which % 2]);
            last[which % 2] = which;
        }
    }
    for (int i = 0; i < N; i++)
        CHECK_INT(seen[i], 2);
    return 0;
}
