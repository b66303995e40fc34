/* Requests on a pipe take and give bytes in the order of the calls [B7]. Reads are queued before there is anything to
   read, writes before there is room. */
#include "aiocb.h"
#include "process.h"

#define N 200
#define SIZE 1000

static char in[N][SIZE], out[N][SIZE];
static struct aiocb cb[N];

static void *feed(void *write_end)
{
    for (int i = 0; i < N; i++)
        CHECK_INT(write(*(int *)write_end, out[i], SIZE), SIZE);
    return NULL;
}

int main(void)
{
    int ends[2];

    for (int i = 0; i < N; i++)
        fill_pattern(out[i], SIZE, i);

    make_pipe(ends);
    for (int i = 0; i < N; i++) {
        cb[i] = make_cb(ends[0], in[i], SIZE, 0);
        CHECK_INT(aio_read(&cb[i]), 0);
    }
    for (int i = 0; i < N; i++)
        CHECK_PENDING(&cb[i]);
    pthread_t thread = start_thread(feed, &ends[1]);
    for (int i = 0; i < N; i++) {
        CHECK_DONE(&cb[i], SIZE);
        CHECK(is_pattern(in[i], SIZE, i));
    }
    join_thread(thread);

    make_pipe(ends);
    size_t filled = fill_up(ends[1]);
    char *all = malloc(filled + N * SIZE);
    for (int i = 0; i < N; i++) {
        cb[i] = make_cb(ends[1], out[i], SIZE, i % 3);
        CHECK_INT(aio_write(&cb[i]), 0);
    }
    for (int i = 0; i < N; i++)
        CHECK_PENDING(&cb[i]);
    read_whole(ends[0], all, filled + N * SIZE);
    for (int i = 0; i < N; i++) {
        CHECK_DONE(&cb[i], SIZE);
        CHECK(is_pattern(all + filled + i * SIZE, SIZE, i));
    }
    return 0;
}
