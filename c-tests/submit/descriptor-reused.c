/* A request keeps the file it was made for: when the number is closed and given to another file before the request's turn
   comes, nothing of it touches the other file [B12] (glibc bug 14942). */
// oracle-deadline: 2
#include "aiocb.h"

#define N 10

int main(void)
{
    int old[2], new[2];
    char in[N], out[N];
    struct aiocb cb[N];

    /* Reads that wait in order on an empty pipe. */
    make_pipe(old);
    make_pipe(new);
    for (int i = 0; i < N; i++) {
        in[i] = '?';
        cb[i] = make_cb(old[0], &in[i], 1, 0);
        CHECK_INT(aio_read(&cb[i]), 0);
    }
    CHECK_INT(write(new[1], "NEWNEWNEWNEW", 12), 12);
    MUST(dup2(new[0], old[0]));
    CHECK_INT(write(old[1], "0123456789", N), N);
    for (int i = 0; i < N; i++) {
        CHECK_DONE(&cb[i], 1);
        CHECK_INT(in[i], '0' + i);
    }

    /* Writes that wait in order for a full pipe, whose number becomes a file's. */
    make_pipe(old);
    size_t filled = fill_up(old[1]);
    char *all = malloc(filled + N);
    int file = temp_file(O_RDWR);
    for (int i = 0; i < N; i++) {
        out[i] = 'a' + i;
        cb[i] = make_cb(old[1], &out[i], 1, 0);
        CHECK_INT(aio_write(&cb[i]), 0);
    }
    MUST(dup2(file, old[1]));
    read_whole(old[0], all, filled + N);
    for (int i = 0; i < N; i++)
        CHECK_DONE(&cb[i], 1);
    CHECK_INT(memcmp(all + filled, out, N), 0);
    CHECK_INT(lseek(file, 0, SEEK_END), 0);
    return 0;
}
