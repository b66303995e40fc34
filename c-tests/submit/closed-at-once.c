/* close() right after the call: a request on a file or a pipe is carried out on that file or ends with EBADF or ECANCELED,
   and the next file with the same number is left alone [B12] (POSIX close: outstanding requests may be cancelled). */
#include "aiocb.h"

#define N 300

int main(void)
{
    const char *path = test_path("first");
    int keep = MUST(open(path, O_RDWR | O_CREAT, 0600));
    static char out[N];
    static struct aiocb cb[N];
    char byte;
    int ends[2];

    for (int i = 0; i < N; i++) {
        int fd = MUST(open(path, O_RDWR));
        int other;

        out[i] = 'A' + i % 26;
        cb[i] = make_cb(fd, &out[i], 1, i);
        CHECK_INT(aio_write(&cb[i]), 0);
        close(fd);
        other = temp_file(O_RDWR);
        AWAIT_CB(&cb[i]);
        CHECK_INT(lseek(other, 0, SEEK_END), 0);
        close(other);
    }
    for (int i = 0; i < N; i++) {
        int error = aio_error(&cb[i]);

        if (error == 0) {
            CHECK_INT(aio_return(&cb[i]), 1);
            CHECK_INT(pread(keep, &byte, 1, i), 1);
            CHECK_INT(byte, out[i]);
        } else if (error != EBADF && error != ECANCELED) {
            FAIL("request %d ends with %d", i, error);
        }
    }

    /* A read that already waits. */
    make_pipe(ends);
    cb[0] = make_cb(ends[0], &byte, 1, 0);
    int read_end = ends[0];
    CHECK_INT(aio_read(&cb[0]), 0);
    close(ends[0]);
    int reused = MUST(open(path, O_RDWR));
    CHECK_INT(reused, read_end);
    signal(SIGPIPE, SIG_IGN);
    byte = '?';
    if (write(ends[1], "!", 1) == -1)
        CHECK_INT(errno, EPIPE);
    close(ends[1]);
    AWAIT_CB(&cb[0]);
    CHECK(byte == '?' || byte == '!');
    CHECK_INT(lseek(reused, 0, SEEK_CUR), 0);
    return 0;
}
