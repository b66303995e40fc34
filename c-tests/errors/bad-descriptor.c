/* Reading or writing through a descriptor that is closed, or open for the other direction only: the call succeeds and
   aio_error gives EBADF. POSIX allows both ways (aio_read, ERRORS); glibc has this one [B4]. */
#include "aiocb.h"

int main(void)
{
    char byte = 'x';
    int ends[2];
    int closed = temp_file(O_RDWR);
    int read_only = MUST(open("/dev/null", O_RDONLY));
    int write_only = MUST(open("/dev/null", O_WRONLY));

    make_pipe(ends);
    close(closed);
    int cannot_read[] = { closed, -1, 1 << 20, -1000, write_only, ends[1] };
    int cannot_write[] = { closed, -1, 1 << 20, -1000, read_only, ends[0] };

    for (size_t i = 0; i < sizeof cannot_read / sizeof *cannot_read; i++) {
        struct aiocb cb = make_cb(cannot_read[i], &byte, 1, 0);

        CHECK_INT(aio_read(&cb), 0);
        CHECK_ENDS_WITH(&cb, EBADF);
        cb = make_cb(cannot_write[i], &byte, 1, 0);
        CHECK_INT(aio_write(&cb), 0);
        CHECK_ENDS_WITH(&cb, EBADF);
    }

    /* O_PATH opens nothing that can be read. */
    int path_only = MUST(open("/", O_PATH)); /* may have the number that was closed: the list is done with */
    struct aiocb cb = make_cb(path_only, &byte, 1, 0);
    CHECK_INT(aio_read(&cb), 0);
    CHECK_ENDS_WITH(&cb, EBADF);
    return 0;
}
