/* An O_DIRECT write past RLIMIT_FSIZE ends with EFBIG, and SIGXFSZ does not end the program [B4] (POSIX aio_write, EFBIG;
   glibc's threads block the signal). */
#include "direct.h"

int main(void)
{
    int fd = direct_file();
    char *out = aligned_alloc(4096, BLOCK);

    memset(out, 'x', BLOCK);
    read_blocks(fd, 300);
    signal(SIGXFSZ, SIG_DFL);
    set_limit(RLIMIT_FSIZE, BLOCKS * BLOCK);
    for (int i = 0; i < 20; i++) {
        struct aiocb cb = make_cb(fd, out, BLOCK, (BLOCKS + i % 3) * BLOCK), inside = make_cb(fd, out, BLOCK, BLOCK);

        CHECK_INT(aio_write(&cb), 0);
        CHECK_ENDS_WITH(&cb, EFBIG);
        CHECK_INT(aio_write(&inside), 0);
        CHECK_DONE(&inside, BLOCK);
    }
    return 0;
}
