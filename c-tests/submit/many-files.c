/* Requests on many files at once go each to their own file [B7]. */
#include "aiocb.h"

#define FILES 100
#define EACH 20
#define SIZE 256

int main(void)
{
    static char out[FILES][EACH][SIZE], in[FILES][EACH][SIZE];
    static struct aiocb cb[FILES][EACH];
    int fd[FILES];

    for (int f = 0; f < FILES; f++)
        fd[f] = temp_file(O_RDWR);
    for (int pass = 0; pass < 2; pass++) {
        for (int e = 0; e < EACH; e++) {
            for (int f = 0; f < FILES; f++) {
                fill_pattern(out[f][e], SIZE, f * 100 + e);
                cb[f][e] = make_cb(fd[f], pass ? in[f][e] : out[f][e], SIZE, e * SIZE);
                CHECK_INT(pass ? aio_read(&cb[f][e]) : aio_write(&cb[f][e]), 0);
            }
        }
        for (int e = 0; e < EACH; e++)
            for (int f = 0; f < FILES; f++)
                CHECK_DONE(&cb[f][e], SIZE);
    }
    CHECK_INT(memcmp(in, out, sizeof in), 0);
    return 0;
}
