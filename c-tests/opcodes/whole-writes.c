/* A write to a pipe, FIFO or stream socket moves all its bytes, as a blocking write(2) does, however small the buffer
   [B15]. */
#include "aiocb.h"
#include "process.h"

#define SIZE 300000

static char out[SIZE], in[SIZE];

static void whole(int write_end, int read_end)
{
    struct aiocb cb = make_cb(write_end, out, SIZE, 0);

    memset(in, 0, SIZE);
    CHECK_INT(aio_write(&cb), 0);
    read_whole(read_end, in, SIZE);
    CHECK_DONE(&cb, SIZE);
    CHECK_INT(memcmp(in, out, SIZE), 0);
}

int main(void)
{
    int ends[2];
    const char *path = test_path("fifo");

    fill_pattern(out, SIZE, 2);
    make_pipe(ends);
    whole(ends[1], ends[0]);
    make_stream_pair(ends);
    whole(ends[1], ends[0]);
    MUST(mkfifo(path, 0600));
    ends[0] = MUST(open(path, O_RDONLY | O_NONBLOCK));
    ends[1] = MUST(open(path, O_WRONLY));
    MUST(fcntl(ends[0], F_SETFL, 0));
    whole(ends[1], ends[0]);
    return 0;
}
