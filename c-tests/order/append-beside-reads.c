/* On a descriptor with O_APPEND reads go to their offsets, and the offset of a write is ignored [B7]. */
#include "aiocb.h"

#define N 64

int main(void)
{
    int fd = temp_file(O_RDWR | O_APPEND);
    char out[N], in[N];
    struct aiocb write_cb[N], read_cb[N];

    CHECK_INT(write(fd, "0123456789", 10), 10);
    for (int i = 0; i < N; i++) {
        out[i] = 'a' + i % 26;
        write_cb[i] = make_cb(fd, &out[i], 1, 3 * i);
        read_cb[i] = make_cb(fd, &in[i], 1, i % 10);
        CHECK_INT(aio_write(&write_cb[i]), 0);
        CHECK_INT(aio_read(&read_cb[i]), 0);
    }
    for (int i = 0; i < N; i++) {
        CHECK_DONE(&write_cb[i], 1);
        CHECK_DONE(&read_cb[i], 1);
        CHECK_INT(in[i], '0' + i % 10);
    }
    CHECK_INT(pread(fd, in, N, 10), N);
    CHECK_INT(memcmp(in, out, N), 0);
    return 0;
}
