// face: libaio
/* One large request moves all its bytes, buffered and O_DIRECT, plain and vectored [A6]. */
#include "iocb.h"

#define SIZE (24 << 20)

int main(void)
{
    int fd = temp_file(O_RDWR), direct = reopen(fd, O_RDWR | O_DIRECT);
    io_context_t context = make_context(8);
    char *buffer = aligned(SIZE);
    struct iovec halves[2] = {{buffer, SIZE / 2}, {buffer + SIZE / 2, SIZE / 2}};
    struct iocb iocb;

    for (int way = 0; way < 4; way++) {
        int to = way % 2 ? direct : fd;

        CHECK(ftruncate(fd, 0) == 0);
        fill_pattern_at(buffer, SIZE, 0, way);
        if (way < 2)
            io_prep_pwrite(&iocb, to, buffer, SIZE, 0);
        else
            io_prep_pwritev(&iocb, to, halves, 2, 0);
        CHECK_INT(outcome(context, &iocb), SIZE);
        memset(buffer, 0, SIZE);
        if (way < 2)
            io_prep_preadv(&iocb, to, halves, 2, 0);
        else
            io_prep_pread(&iocb, to, buffer, SIZE, 0);
        CHECK_INT(outcome(context, &iocb), SIZE);
        check_pattern_at(buffer, SIZE, 0, way);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
