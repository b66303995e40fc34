/* The buffer of a cancelled read is unchanged [B9]. A read that has moved bytes is in progress and is not cancelled
   (AIO_NOTCANCELED). The first page of the file is cached and the rest is not, so an implementation that reads what is
   there at once and the rest later has begun. */
// oracle-deadline: 20
#include "aiocb.h"
#include "process.h"

#define SIZE 65536
#define ROUNDS 2000

int main(void)
{
    static unsigned char in[SIZE], page[4096];
    int fd = temp_file(O_RDWR), cancelled = 0;

    CHECK_INT(pwrite(fd, in, SIZE, 0), SIZE);
    MUST(fsync(fd));
    posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
    for (int round = 0; round < ROUNDS; round++) {
        struct aiocb cb = make_cb(fd, in, SIZE, 0);

        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        CHECK_INT(pread(fd, page, sizeof page, 0), sizeof page);
        memset(in, 0xee, SIZE);
        CHECK_INT(aio_read(&cb), 0);
        int answer = MUST(aio_cancel(fd, &cb));

        AWAIT_CB(&cb);
        if (answer != AIO_CANCELED) {
            CHECK_DONE(&cb, SIZE);
            continue;
        }
        CHECK_INT(aio_error(&cb), ECANCELED);
        CHECK_INT(aio_return(&cb), -1);
        for (int i = 0; i < SIZE; i++)
            if (in[i] != 0xee)
                FAIL("cancelled, and byte %d was written", i);
        cancelled++;
    }
    printf("%d of %d were cancelled\n", cancelled, ROUNDS);
    return 0;
}
