/* When an aio_fsync is done, every write queued before it is done, however many fsyncs and writes are under way [B8]. */
#include "aiocb.h"

#define ROUNDS 20
#define WRITES 25

int main(void)
{
    static char bytes[4096];
    static struct aiocb write_cb[ROUNDS][WRITES], sync_cb[ROUNDS];
    int fd = temp_file(O_RDWR);

    fill_pattern(bytes, sizeof bytes, 3);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < WRITES; i++) {
            write_cb[round][i] = make_cb(fd, bytes, sizeof bytes, (round * WRITES + i) * (off_t)sizeof bytes);
            CHECK_INT(aio_write(&write_cb[round][i]), 0);
        }
        sync_cb[round] = make_cb(fd, NULL, 0, 0);
        CHECK_INT(aio_fsync(round % 2 ? O_SYNC : O_DSYNC, &sync_cb[round]), 0);
    }
    for (int round = ROUNDS - 1; round >= 0; round--) {
        CHECK_DONE(&sync_cb[round], 0);
        for (int earlier = 0; earlier <= round; earlier++) {
            for (int i = 0; i < WRITES; i++) {
                CHECK_INT(aio_error(&write_cb[earlier][i]), 0);
                CHECK_INT(aio_return(&write_cb[earlier][i]), sizeof bytes);
            }
        }
    }
    CHECK_INT(lseek(fd, 0, SEEK_END), ROUNDS * WRITES * sizeof bytes);
    return 0;
}
