// face: libaio
/* Buffered writes, overwriting, extending, leaving holes and appending, are in the file and have their event in the
   ring when io_submit returns [A15] [A17] (libaio's harness asks with min_nr 0 right after). */
#include "iocb.h"

int main(void)
{
    int fd = pattern_file(O_RDWR, 8192, 0), appending = reopen(fd, O_RDWR | O_APPEND);
    io_context_t context = make_context(32);
    struct timespec now = {0, 0};
    char buffer[5000], back[5000];
    off_t size = 8192;

    for (int i = 0; i < 200; i++) {
        off_t at = i % 4 == 0 ? i : i % 4 == 1 ? size : i % 4 == 2 ? size + 100000 : 0;
        struct iovec vectors[2] = {{buffer, 1000}, {buffer + 1000, 4000}};
        struct io_event event;
        struct stat status;
        struct iocb iocb;

        fill_pattern_at(buffer, sizeof(buffer), 0, i);
        if (i % 8 < 4)
            io_prep_pwrite(&iocb, i % 4 == 3 ? appending : fd, buffer, sizeof(buffer), at);
        else
            io_prep_pwritev(&iocb, i % 4 == 3 ? appending : fd, vectors, 2, at);
        submit_one(context, &iocb);
        CHECK_INT(io_getevents(context, 0, 1, &event, &now), 1);
        CHECK(event.obj == &iocb);
        CHECK_INT((long)event.res, sizeof(buffer));
        if (i % 4 == 3)
            at = size;
        if (at + (off_t)sizeof(buffer) > size)
            size = at + (off_t)sizeof(buffer);
        CHECK(fstat(fd, &status) == 0);
        CHECK_INT(status.st_size, size);
        CHECK_INT(pread(fd, back, sizeof(back), at), sizeof(back));
        check_pattern_at(back, sizeof(back), 0, i);
    }
    CHECK_INT(io_destroy(context), 0);
    return 0;
}
